"""What changes a text and never drops it: the extension point ``edits``."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal

from pilotlight.corpus.view import Values, View
from pilotlight.spec import Part

Scope = Literal["all", "prose", "code"]


def in_scope(scope: Scope, content: str) -> bool:
    """Return whether a step with this scope looks at text of this content."""
    return scope in ("all", content)


class Edit(Part):
    """Settings of a step that changes text. Editing twice gives what editing once gave."""

    folder: ClassVar[str] = "pilotlight.corpus.edits"
    columns: ClassVar[Mapping[str, str]] = {}
    """What the edit records of each text, by column: in words, with its unit."""
    examples: ClassVar[tuple[tuple[str, str], ...]]
    """Texts before and after, tested on the default settings."""

    applies_to: Scope = "all"
    """Which texts the step looks at: all, prose or code."""

    @abstractmethod
    def edit(self, text: str) -> str:
        """Return the changed text."""

    def edit_view(self, view: View) -> tuple[str, Values]:
        """Return the changed text, and a value for each of ``columns``."""
        return self.edit(view.text), {}
