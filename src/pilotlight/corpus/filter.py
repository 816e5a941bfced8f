"""What measures a text, drops the unfit and never changes any: the extension point ``filters``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from pilotlight.corpus.edit import Scope
from pilotlight.corpus.view import Values, View
from pilotlight.spec import Part


class Filter(Part):
    """Settings of a step that measures every text and says which have to go.

    ``measure`` looks at the text and knows no threshold; ``reason_to_drop`` looks at what was measured and no text.
    So other thresholds can be tried on a finished corpus without reading its text again.
    """

    folder: ClassVar[str] = "pilotlight.corpus.filters"
    columns: ClassVar[Mapping[str, str]]
    """What is measured: name of each column, and in words what it holds (with its unit)."""
    facts: ClassVar[tuple[str, ...]] = ()
    """Columns that become facts of the document, which later steps can see."""
    keeps: ClassVar[tuple[str, ...]]
    """Texts that have to stay under the default settings (tested)."""
    drops: ClassVar[tuple[str, ...]]
    """Texts that have to go under the default settings, or would if ``only_annotate`` were off (tested)."""

    applies_to: Scope = "all"
    """Which texts the step looks at: all, prose or code."""
    only_annotate: bool = False
    """Measure and report, but drop nothing."""

    @abstractmethod
    def measure(self, view: View) -> Values:
        """Return what the filter needs to know of the text: a value for each of ``columns`` (all of them, always)."""

    @abstractmethod
    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return why a text with these ``values`` has to go, or None if it stays; ``only_annotate`` is not looked at.

        The reason is ``rule: what was measured``: dropped documents are counted by what stands before the colon.
        """

    def judge(self, text: str, source: str = "") -> str | None:
        """Return why ``text`` has to go, or None if it stays."""
        return self.reason_to_drop(self.measure(View(text, source)), source)
