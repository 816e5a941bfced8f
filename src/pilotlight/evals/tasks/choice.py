"""Multiple choice: the option that is likeliest as the text goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal, final

from pilotlight.evals.item import ChoiceItem, Item, Span
from pilotlight.evals.measure import Measure, accuracy, averaged, text_likelihood
from pilotlight.evals.shapes import Asked, fits, read, right_of
from pilotlight.evals.task import BadRow, Line, Row, Task, filled, texts_of
from pilotlight.record.scores import RefusedRow
from pilotlight.tokens.text import valid

_TEMPLATES = {
    "question": "Question: {question}\nAnswer:",
    "context": "{context}",
    "context question": "{context}\nQuestion: {question}\nAnswer:",
}
"""What stands before an option, by the fields that a row has: a context is a text to go on with."""


@final
class Choice(Task):
    """Each option is scored after the question by its likelihood per byte.

    Options that fill a blank stand in it, and what follows the blank is scored (Trinh and Le 2018, arXiv 1806.02847).
    """

    expects: ClassVar[str] = (
        "question (or context, prompt, ctx), choices (or options, endings: a list) and answer (or label, answerKey: "
        "the place from 0, a letter or the text of the right one); goal, sol1, sol2, label; sentence, option1, option2, "
        "answer"
    )

    prompt: str = ""
    """What stands before the option, with {question}, {context} or other fields of the row in braces."""
    count_from: Literal[0, 1] = 0
    """What an answer given as a number counts from."""

    def fits(self, row: Row) -> bool:
        """Return whether the row has the fields of multiple choice."""
        return fits(row)

    def items(self, lines: Sequence[Line]) -> tuple[list[Item], list[RefusedRow]]:
        """Return the items, and the rows that cannot be used."""
        found: list[Item] = []
        refused: list[RefusedRow] = []
        for line in lines:
            try:
                found.append(self._item(line))
            except BadRow as error:
                refused.append(RefusedRow(line=line.number, reason=error.reason, detail=error.detail))
        return found, refused

    def measures(self, items: Sequence[Item]) -> tuple[Measure, ...]:
        """Return accuracy, precision, recall and F1 where all items share their options, and the likelihood measures."""
        asked = [item for item in items if isinstance(item, ChoiceItem)]
        chance = sum(1 / len(item.options) for item in asked) / max(1, len(asked))
        shared = len({item.texts for item in asked}) == 1
        # Places of options that differ from row to row mean nothing, so averages over places would not either.
        labels = averaged([item.right for item in asked], len(asked[0].options)) if shared else ()
        return (*accuracy(chance), *labels, *text_likelihood())

    def _item(self, line: Line) -> ChoiceItem:
        asked = read(line.row)
        right = right_of(asked, asked.count_from or self.count_from)
        spans = _in_blank(asked) if asked.blank else self._after(asked, line.row)
        if asked.blank and self.prompt:
            raise BadRow("a prompt cannot be used with a blank", "leave out prompt for sentences with _")
        return ChoiceItem(line.id, spans, right, asked.options)

    def _after(self, asked: Asked, row: Row) -> tuple[Span, ...]:
        template = self.prompt or _TEMPLATES[" ".join(sorted(asked.fields))]
        before = valid(filled(template, {**texts_of(row), **asked.fields})).rstrip()
        return tuple(Span(before, valid(f" {option}" if before else option)) for option in asked.options)


def _in_blank(asked: Asked) -> tuple[Span, ...]:
    before, _, after = valid(asked.fields["context"]).partition("_")
    if not after.strip():
        return tuple(Span(before.rstrip(), valid(f" {option}")) for option in asked.options)
    return tuple(Span(before + valid(option), after.rstrip()) for option in asked.options)
