"""Where text comes from: the extension point ``sources``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, final

from pilotlight.spec import Part

Content = Literal["prose", "code"]


@final
@dataclass(frozen=True, slots=True)
class Input:
    """One file that a source reads."""

    path: Path
    relative: str
    """Path inside the source with forward slashes: part of the identity of every document in the file."""


@final
@dataclass(frozen=True, slots=True)
class Raw:
    """One record as it was read, before any step."""

    text: str
    record: str
    """Which record of the file: a line number, a piece, a topic; unique in the file and stable."""
    content: Content = "prose"
    group: str = ""
    """Records of one group go to the same side of the held-out split; empty: the record stands alone."""
    facts: Mapping[str, Any] = field(default_factory=dict[str, Any])


@final
@dataclass(frozen=True, slots=True)
class Unreadable:
    """One record that could not be read; it is quarantined and the build goes on."""

    record: str
    reason: str
    """What is wrong, in words that many records can share: ``broken JSON``."""
    detail: str = ""
    """What is wrong with this one."""


class Source(Part):
    """Settings of a place where text is found.

    ``files`` and ``read`` give the same result in the same order every time: the corpus does not depend on the
    order in which a file system lists its files.
    """

    folder: ClassVar[str] = "pilotlight.corpus.sources"

    name: str = ""
    """Name of the source in reports, and part of the identity of its documents; by default the name of its folder."""

    @property
    def title(self) -> str:
        """The name, or the one that follows from the settings."""
        return self.name or self.default_name()

    @abstractmethod
    def default_name(self) -> str:
        """Return the name of the source where none is given."""

    @abstractmethod
    def files(self) -> list[Input]:
        """Return the files to read, sorted by their path inside the source.

        Raises:
            DataError: there is nothing to read; names the path, what was expected and what to do.
        """

    @abstractmethod
    def read(self, file: Input) -> Iterator[Raw | Unreadable]:
        """Return the records of one file in order; what cannot be read comes back as ``Unreadable``.

        Raises:
            DataError: the file itself cannot be opened.
        """

    def whole_folder(self) -> Path | None:
        """Return the folder of which everything is read, so that nothing is written into it, or None."""
        return None

    def passed_over(self) -> dict[str, int]:
        """Return the number of files that are there but are not read, by file name ending."""
        return {}
