"""What drops all but one of the texts that are alike: the extension point ``duplicates``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, final

from pilotlight.spec import Part


@final
@dataclass(frozen=True, slots=True)
class Twin:
    """Why a document is superfluous: the document that stays in its place."""

    id: str
    similarity: float
    """1.0 for texts that read the same, down to 0.0."""


class Duplicates(Part):
    """Settings of a step that compares texts with each other."""

    folder: ClassVar[str] = "pilotlight.corpus.duplicates"
    same: ClassVar[tuple[tuple[str, str], ...]]
    """Pairs of which one has to go under the default settings (tested)."""
    different: ClassVar[tuple[tuple[str, str], ...]]
    """Pairs that have to stay under the default settings (tested)."""

    @abstractmethod
    def twins(self, documents: Iterable[tuple[str, str]]) -> dict[str, Twin]:
        """Return, for every superfluous document, the one that stays in its place.

        The documents come as (id, text). The answer does not depend on their order, and no document that is
        superfluous is named as the one that stays.
        """
