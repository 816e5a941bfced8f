"""Texts that are lists, menus and repeated lines: the rules that FineWeb found on the web."""

from __future__ import annotations

from typing import ClassVar, final

from pydantic import Field

from pilotlight.corpus.edit import Scope
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.view import Values, View
from pilotlight.units import Share

_NEWS = (
    "The bridge over the valley was opened on Sunday after three years of work.\n"
    "It is four hundred metres long and carries two lanes and a path for bicycles.\n"
    "Engineers from the region had planned it for a decade before the money was found.\n"
)


@final
class Fineweb(Filter):
    """Drops texts that break a rule of Penedo et al. 2024 (FineWeb, section 3.6), with the thresholds given there.

    Lines without a mark at their end, short lines and repeated lines tell menus from prose on the web; in poems,
    dialogue, text of wrapped lines and laws they do not. Lines of scripts without spaces are short with as many words
    as 30 characters of English; Thai and Lao, which do not mark the end of sentences, are not asked for marks.
    """

    columns: ClassVar = {
        "ended_lines": "share of the lines that end with a mark of punctuation; -1 in scripts without such marks",
        "short_lines": "share of the lines that are short",
        "repeated_characters": "share of the characters that stand in lines that were there before and have a letter",
        "line_breaks": "line breaks for each word",
    }
    keeps: ClassVar[tuple[str, ...]] = (
        _NEWS,
        "Opening\n" + _NEWS,
        "桥梁在星期日正式通车，工程历时三年。\n全长四百米，设有两条车道和一条自行车道。",
    )
    drops: ClassVar[tuple[str, ...]] = (
        "Home and garden furniture for all seasons\nKitchen and bathroom with delivery to your door\n",
        "Home.\nNews.\nContact.\nImprint.\n" + _NEWS[:75],
        _NEWS + _NEWS[:75],
        "\n".join(f"{word} in the middle of a long line." + "\n" * 4 for word in ("Bread", "Wine", "Salt")),
    )

    ended_lines: Share = 0.12
    """Smallest share of lines that end with a mark of punctuation."""
    short_lines: Share = 0.67
    """Largest share of short lines."""
    short: int = Field(default=30, ge=0)
    """Most characters of a short line; in scripts without spaces as many as say the same."""
    repeated_characters: Share = 0.01
    """Largest share of characters in lines that were there before."""
    line_breaks: float = Field(default=0.3, ge=0)
    """Most line breaks for each word."""
    applies_to: Scope = "prose"
    """Which texts the step looks at: by default prose."""

    def measure(self, view: View) -> Values:
        """Return what the rules look at."""
        from pilotlight.corpus.line_ends import marks_sentences, same_length

        words, lines = view.words, view.lines
        many, short = max(len(lines), 1), same_length(words, self.short)
        return {
            "ended_lines": sum(view.ended_lines) / many if marks_sentences(words) else -1.0,
            "short_lines": sum([len(line) <= short for line in lines]) / many,
            "repeated_characters": view.repeated_worded_lines[1] / max(view.line_characters, 1),
            "line_breaks": view.text.count("\n") / max(words.count, 1),
        }

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return the first rule that is broken."""
        if 0 <= (share := float(values["ended_lines"])) < self.ended_lines:
            return f"open lines: {share:.2f} of the lines end with a mark, less than {self.ended_lines:g}"
        if (share := float(values["short_lines"])) > self.short_lines:
            return f"short lines: {share:.2f} of the lines, more than {self.short_lines:g}"
        if (share := float(values["repeated_characters"])) > self.repeated_characters:
            return f"repeated lines: {share:.3f} of the characters, more than {self.repeated_characters:g}"
        if (ratio := float(values["line_breaks"])) > self.line_breaks:
            return f"line breaks: {ratio:.2f} for each word, more than {self.line_breaks:g}"
        return None
