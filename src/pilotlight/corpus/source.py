"""Where text comes from: the extension point ``sources``."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal, final

from pilotlight.corpus.remote import Barred, fetch, identity_of, is_address, size_of
from pilotlight.spec import Part, Record

Content = Literal["prose", "code"]


@final
@dataclass(frozen=True, slots=True)
class Input:
    """One file that a source reads."""

    path: Path | str
    """Where it is: a local path, or an address such as ``s3://bucket/file.jsonl``."""
    relative: str
    """Path inside the source with forward slashes: part of the identity of every document in the file."""

    @property
    def unlisted(self) -> bool:
        """Whether it is a folder that may not be listed, and stands for all that is in it."""
        return self.relative.endswith("/")

    @property
    def remote(self) -> bool:
        """Whether the file is not in a local folder."""
        return is_address(self.path)

    def size(self) -> int:
        """Return the bytes of the file as it is stored; 0 where a server does not say, or its rights forbid to look.

        Raises:
            DataError: the file is not there.
        """
        try:
            return 0 if self.unlisted else size_of(self.path)
        except Barred:
            return 0

    def identity(self) -> list[int | str]:
        """Return what changes when the file changes, found without reading it: its size and its version.

        The version is the time of the last change on a local disk, and elsewhere the mark that the server keeps. Of a
        file whose rights forbid to look at it nothing is known.

        Raises:
            DataError: the file is not there.
        """
        try:
            return identity_of(self.path)
        except Barred as error:
            return [0, error.reason]

    def stage(self, folder: Path) -> Input:
        """Return the file on a local disk: itself, or its copy in ``folder`` (tried again when it breaks off).

        Raises:
            DataError: it cannot be copied.
        """
        return Input(fetch(str(self.path), folder), self.relative) if self.remote else self

    def at(self, path: Path) -> Input:
        """Return the same file, to be read from a copy at ``path``."""
        return Input(path, self.relative)

    def to_json(self) -> dict[str, str]:
        """Return the file as JSON types; a path that is no Unicode as the digits of its bytes."""
        path = str(self.path)
        try:
            path.encode()
        except UnicodeEncodeError:
            return {"path_bytes": os.fsencode(path).hex(), "relative": self.relative}
        return {"path": path, "relative": self.relative}

    @staticmethod
    def from_json(given: Mapping[str, str]) -> Input:
        """Return the file that ``to_json`` described."""
        if "path_bytes" in given:
            return Input(Path(os.fsdecode(bytes.fromhex(given["path_bytes"]))), given["relative"])
        path = given["path"]
        return Input(path if is_address(path) else Path(path), given["relative"])


@final
class Cut(Record):
    """A part of a file that is read by itself; the default is all of it.

    The parts of a file in order hold each of its records once.
    """

    start: int = 0
    """Where it starts: a byte of lines, text and web archives, a row group of Parquet, a member of a zip file."""
    stop: int | None = None
    """Where it stops, not included; None: at the end."""
    first: int = 1
    """What its first line, row or block of text is counted as."""


WHOLE = Cut()


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
    ordinary: bool = False
    """Nothing is broken: it is no text, like an image in a web archive, and nobody has to be warned of it."""


def may_not_be_read(error: Barred) -> Unreadable:
    """Return the record that stands for a file or folder whose rights forbid to read it."""
    return Unreadable("file", "may not be read", f"{error.reason}; check the rights of the file or folder")


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
    def read(self, file: Input, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
        """Return the records of one file, or one cut of it, in order; what cannot be read as ``Unreadable``.

        Memory is bounded by one record, never by the file. A file whose rights forbid to read it is one record
        ``file`` with the reason ``may not be read``.

        Raises:
            DataError: the file itself cannot be opened for another reason.
        """

    def cuts(self, file: Input, target: int) -> list[Cut]:
        """Return the parts of a large file, of about ``target`` bytes each, that can be read one by one.

        All cuts read in order give what the whole file gives, whatever the target. A file that is elsewhere is one
        part; its local copy (``Input.stage``) is cut like any other.

        Raises:
            DataError: the file cannot be opened.
        """
        del file, target
        return [WHOLE]

    def whole_folder(self) -> Path | None:
        """Return the folder of which everything is read, so that nothing is written into it, or None."""
        return None

    def passed_over(self) -> dict[str, int]:
        """Return the number of files that are there but are not read, by file name ending; links as ``links``."""
        return {}
