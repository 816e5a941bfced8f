"""What drops all but one of the texts that are alike, or cuts what they share: the extension point ``duplicates``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pilotlight.corpus.pile import Pile
from pilotlight.spec import Part


class Duplicates(Part):
    """Settings of a step that compares texts with each other, or with texts of its own."""

    folder: ClassVar[str] = "pilotlight.corpus.duplicates"
    columns: ClassVar[Mapping[str, str]] = {}
    """What is measured: name of each column, and in words what it holds (with its unit)."""
    same: ClassVar[tuple[tuple[str, str], ...]]
    """Pairs of which one has to go under the default settings (tested)."""
    different: ClassVar[tuple[tuple[str, str], ...]]
    """Pairs that have to stay under the default settings (tested)."""

    @abstractmethod
    def decide(self, pile: Pile) -> list[Path]:
        """Return for every split of ``pile`` the folder of a finished unit with the decisions on its documents.

        The decisions do not depend on the order of splits or documents, and no document that goes is named as the one
        that stays.

        Raises:
            DataError: more of a source would go than the settings allow.
        """

    def report(self, pile: Pile, decided: list[Path]) -> dict[str, Any]:
        """Return what should be told about the step with the corpus (JSON): ``decided`` is what ``decide`` returned."""
        del pile, decided
        return {}
