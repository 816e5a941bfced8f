"""Classification: the label whose word is likeliest after the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar, final

from pilotlight.errors import ConfigError
from pilotlight.evals.item import Item, LabelledItem
from pilotlight.evals.measure import Measure, accuracy, averaged, text_likelihood
from pilotlight.evals.task import BadRow, Line, Row, Task, filled, texts_of
from pilotlight.record.scores import RefusedRow
from pilotlight.tokens.text import valid

LABELS = ("label", "category", "intent", "class", "target")


@final
class Classification(Task):
    """Every label's word is scored after the prompt by its likelihood per byte."""

    expects: ClassVar[str] = "text and label (or category, intent, class, target; else set text_field and label_field)"

    prompt: str = "Text: {text}\nLabel:"
    """What stands before the label, with {text} or other fields of the row in braces."""
    labels: tuple[str, ...] = ()
    """The words of the labels; a label given as a number counts into them from 0. By default the labels of the file."""
    text_field: str = "text"
    label_field: str = ""
    """Field that holds the label; by default the first of label, category, intent, class, target."""

    def fits(self, row: Row) -> bool:
        """Return whether the row has a text and a label."""
        return isinstance(row.get(self.text_field), str) and self._field(row) is not None

    def items(self, lines: Sequence[Line]) -> tuple[list[Item], list[RefusedRow]]:
        """Return the items, and the rows that cannot be used.

        Raises:
            ConfigError: fewer than two labels, or a label is given twice.
        """
        found: list[tuple[Line, str, str]] = []
        refused: list[RefusedRow] = []
        for line in lines:
            try:
                found.append((line, *self._read(line.row)))
            except BadRow as error:
                refused.append(RefusedRow(line=line.number, reason=error.reason, detail=error.detail))
        labels = self.labels or tuple(sorted({label for _, _, label in found}))
        if found and (len(labels) < 2 or len(set(labels)) < len(labels)):
            raise ConfigError(f"the labels are {', '.join(labels)}; expected two or more different ones (set labels).")
        items: list[Item] = [
            LabelledItem(line.id, prompt, labels, labels.index(label)) for line, prompt, label in found
        ]
        return items, refused

    def measures(self, items: Sequence[Item]) -> tuple[Measure, ...]:
        """Return accuracy, precision, recall and F1, and the likelihood measures of the right label."""
        known = [item for item in items if isinstance(item, LabelledItem)]
        count = len(known[0].labels)
        # Whoever always says the commonest label is right this often: the level that accuracy has to beat.
        often = Counter(item.right for item in known).most_common(1)[0][1] / len(known)
        return (*accuracy(often), *averaged([item.right for item in known], count), *text_likelihood())

    def _field(self, row: Row) -> str | None:
        wanted = (self.label_field,) if self.label_field else LABELS
        return next((name for name in wanted if name in row), None)

    def _read(self, row: Row) -> tuple[str, str]:
        """Return the prompt and the label."""
        text, field = row.get(self.text_field), self._field(row)
        if not isinstance(text, str) or not text.strip():
            raise BadRow(f"field {self.text_field!r} holds no text", f"the fields are {', '.join(row)}")
        if field is None:
            raise BadRow("no label", f"the fields are {', '.join(row)}")
        label = self._label(row[field])
        return valid(filled(self.prompt, {**texts_of(row), "text": text})).rstrip(), label

    def _label(self, value: Any) -> str:
        if not isinstance(value, str | int) or not str(value).strip():
            raise BadRow("no usable label", f"it is {value!r}, expected a word or a number")
        word = valid(str(value).strip())
        if not self.labels or word in self.labels:
            return word
        if word.isascii() and word.isdigit() and int(word) < len(self.labels):
            return self.labels[int(word)]
        raise BadRow("the label is none of those given", f"{word!r}; the labels are {', '.join(self.labels)}")
