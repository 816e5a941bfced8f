"""Plain text: how well the model predicts it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, final

from pilotlight.evals.item import Item, TextItem
from pilotlight.evals.measure import Measure, text_likelihood
from pilotlight.evals.task import Line, Row, Task
from pilotlight.evals.tasks.classification import LABELS
from pilotlight.record.scores import RefusedRow
from pilotlight.tokens.text import valid


@final
class Passage(Task):
    """The likelihood of every text, or of a continuation after its context."""

    expects: ClassVar[str] = "text (or set text_field); context and continuation"

    text_field: str = "text"

    def fits(self, row: Row) -> bool:
        """Return whether the row has a text and no label."""
        if {"context", "continuation"} <= row.keys():
            return True
        return isinstance(row.get(self.text_field), str) and not any(name in row for name in LABELS)

    def items(self, lines: Sequence[Line]) -> tuple[list[Item], list[RefusedRow]]:
        """Return the items, and the rows that cannot be used."""
        found: list[Item] = []
        refused: list[RefusedRow] = []
        for line in lines:
            row = line.row
            name = "continuation" if {"context", "continuation"} <= row.keys() else self.text_field
            text, context = row.get(name), row.get("context") if name == "continuation" else ""
            if not isinstance(text, str) or not isinstance(context, str) or not text.strip():
                shown = ", ".join(row)
                refused.append(RefusedRow(line=line.number, reason=f"field {name!r} holds no text", detail=shown))
                continue
            before = valid(context).rstrip()
            found.append(TextItem(line.id, valid(f" {text.strip()}" if before else text), before))
        return found, refused

    def measures(self, items: Sequence[Item]) -> tuple[Measure, ...]:
        """Return bits per byte and perplexity."""
        del items
        return text_likelihood()
