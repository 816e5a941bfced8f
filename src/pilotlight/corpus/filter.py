"""What drops a text and never changes it: the extension point ``filters``."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from pilotlight.corpus.edit import Scope
from pilotlight.spec import Part


class Filter(Part):
    """Settings of a step that drops text it finds unfit."""

    folder: ClassVar[str] = "pilotlight.corpus.filters"
    keeps: ClassVar[tuple[str, ...]]
    """Texts that have to stay under the default settings (tested)."""
    drops: ClassVar[tuple[str, ...]]
    """Texts that have to go under the default settings (tested)."""

    applies_to: Scope = "all"
    """Which texts the step looks at: all, prose or code."""

    @abstractmethod
    def reason_to_drop(self, text: str) -> str | None:
        """Return why the text has to go, or None if it stays.

        The reason is ``rule: what was measured``: dropped documents are counted by what stands before the colon.
        """
