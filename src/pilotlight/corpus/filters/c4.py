"""Texts that are place holders, code or too short: the rules of C4 that look at whole documents."""

from __future__ import annotations

from typing import ClassVar, final

from pydantic import Field

from pilotlight.corpus.edit import Scope
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.view import Values, View

_PLACE_HOLDER = ("orem ipsum", "orem Ipsum", "OREM IPSUM")
_NOTE = "The library opens at nine. Books may be kept for a month. Please return them in time."


@final
class C4(Filter):
    """Drops texts with place-holder text, with curly brackets, or of few sentences (Raffel et al. 2020, section 2.2).

    The paper's last version asks for three sentences, the code that made the published corpus for five. Its list of
    bad words is no rule here (the filter ``toxicity`` is for that), and the rules for lines are the edit
    ``c4_lines``. Scripts without marks at the end of sentences, as Thai and Lao, are not asked for sentences.
    """

    columns: ClassVar = {
        "lorem_ipsum": "how often the words lorem ipsum are there",
        "curly_brackets": "number of opening curly brackets",
        "sentences": "number of ends of sentences; -1 in scripts that do not mark them",
        "whole_lines": "number of lines of at least three words that end with a mark of punctuation",
    }
    keeps: ClassVar[tuple[str, ...]] = (
        _NOTE,
        "图书馆九点开门。书可以借一个月。请按时归还。",
        "“Is it open?” she asked.\nIt was. They went in!",
    )
    drops: ClassVar[tuple[str, ...]] = (
        "Home | News | Contact",
        _NOTE + " Lorem ipsum dolor sit amet, consectetur adipiscing elit.",
        _NOTE + " if (open) { enter(); }",
        "The library opens at nine",
    )

    sentences: int = Field(default=3, ge=0)
    """Fewest sentences."""
    curly_brackets: int = Field(default=0, ge=0)
    """Most opening curly brackets."""
    lorem_ipsum: int = Field(default=0, ge=0)
    """How often the words lorem ipsum may be there."""
    whole_lines: int = Field(default=0, ge=0)
    """Fewest lines of at least three words that end with a mark of punctuation: what ``c4_lines`` would leave."""
    applies_to: Scope = "prose"
    """Which texts the step looks at: by default prose."""

    def measure(self, view: View) -> Values:
        """Return what the rules look at."""
        from pilotlight.corpus.line_ends import marks_sentences

        text, words = view.text, view.words
        return {
            "lorem_ipsum": sum(map(text.count, _PLACE_HOLDER)),
            "curly_brackets": text.count("{"),
            "sentences": words.sentences if marks_sentences(words) else -1,
            "whole_lines": sum(
                [ended and line.count(" ") > 1 for line, ended in zip(view.lines, view.ended_lines, strict=True)]
            ),
        }

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return the first rule that is broken."""
        for column, rule, most in (
            ("lorem_ipsum", "place holder", self.lorem_ipsum), ("curly_brackets", "curly brackets", self.curly_brackets)
        ):  # fmt: skip
            if (count := int(values[column])) > most:
                return f"{rule}: {count}, more than {most}"
        if 0 <= (count := int(values["sentences"])) < self.sentences:
            return f"few sentences: {count}, fewer than {self.sentences}"
        if (count := int(values["whole_lines"])) < self.whole_lines:
            return f"few whole lines: {count}, fewer than {self.whole_lines}"
        return None
