"""What keeps a part of the documents, for a stated reason: the extension point ``select``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pilotlight.corpus.pile import Pile
from pilotlight.spec import Part


class Select(Part):
    """Settings of a step that chooses documents by looking at all of them."""

    folder: ClassVar[str] = "pilotlight.corpus.select"
    columns: ClassVar[Mapping[str, str]] = {}
    """What is measured: name of each column, and in words what it holds (with its unit)."""

    @abstractmethod
    def decide(self, pile: Pile) -> list[Path]:
        """Return for every split of ``pile`` the folder of a finished unit with the decisions on its documents.

        The decisions do not depend on the order of splits or documents.

        Raises:
            DataError: the documents cannot give what the settings ask for.
        """

    def report(self, pile: Pile, decided: list[Path]) -> dict[str, Any]:
        """Return what should be told about the step with the corpus (JSON): ``decided`` is what ``decide`` returned."""
        del pile, decided
        return {}
