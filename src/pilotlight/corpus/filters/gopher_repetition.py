"""Texts that repeat lines, paragraphs or phrases: Gopher's rules of repetition."""

from __future__ import annotations

from typing import ClassVar, final

from pydantic import field_validator

from pilotlight.corpus.edit import Scope
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.view import Values, View
from pilotlight.units import Share, read_share

_TOP = (2, 3, 4)
_AGAIN = (5, 6, 7, 8, 9, 10)
_PARTS = ("lines", "line_characters", "paragraphs", "paragraph_characters")
_TALE = (
    "The old mill stood beside the river for two hundred years. Every spring the water rose to its doorstep, and every "
    "autumn the miller's children gathered chestnuts on the far bank.\n\nWhen the railway came, flour was brought "
    "from the city and the wheel stopped turning. A painter bought the house and lived there with nine cats.\n\n"
    "Today it is a school of music; on warm evenings one hears a cello over the meadow."
)


@final
class GopherRepetition(Filter):
    """Drops texts that break a rule of Rae et al. 2021 (Gopher, table A1), with the thresholds given there.

    Shares of n-grams are characters of words as a share of the characters of the text; each word is counted once,
    however many n-grams it is in. The first occurrence of an n-gram is no repetition; the most frequent n-gram
    counts with all occurrences, if there are at least four: a name that comes twice in a short text is no repetition.
    Lines and paragraphs without a letter, as rulers and cells of tables, may come again.
    """

    columns: ClassVar = {
        "lines": "share of the lines that were there before and have a letter",
        "line_characters": "share of the characters that stand in lines that were there before and have a letter",
        "paragraphs": "share of the paragraphs that were there before and have a letter",
        "paragraph_characters": "share of the characters that stand in paragraphs that were there before and have a letter",
        **{
            f"top_{n}": f"share of the characters in the most frequent {n}-gram of words; 0 if it comes less than four times"
            for n in _TOP
        },
        **{f"again_{n}": f"share of the characters in {n}-grams of words that were there before" for n in _AGAIN},
    }
    keeps: ClassVar[tuple[str, ...]] = (
        _TALE,
        "Row, row, row your boat,\ngently down the stream.",
        _TALE + "\n" + _TALE[:40],
    )
    drops: ClassVar[tuple[str, ...]] = (
        "Log in to see prices\n" * 9,
        _TALE + "\n\nShare this page\nTell a friend" * 4,
        _TALE + "\n\n" + _TALE,
        "buy it now " * 100,
        " and then ".join(_TALE.split()[:30]),
        _TALE + " The committee thanks all of its members for the work they have done this year." * 3,
    )

    lines: Share = 0.3
    """Largest share of lines that were there before."""
    line_characters: Share = 0.2
    """Largest share of characters in lines that were there before."""
    paragraphs: Share = 0.3
    """Largest share of paragraphs that were there before."""
    paragraph_characters: Share = 0.2
    """Largest share of characters in paragraphs that were there before."""
    top: tuple[float, float, float] = (0.20, 0.18, 0.16)
    """Largest shares of characters in the most frequent 2-, 3- and 4-gram."""
    again: tuple[float, float, float, float, float, float] = (0.15, 0.14, 0.13, 0.12, 0.11, 0.10)
    """Largest shares of characters in 5- to 10-grams that were there before."""
    applies_to: Scope = "prose"
    """Which texts the step looks at: by default prose, as code repeats itself with reason."""

    @field_validator("top", "again", mode="before")
    @classmethod
    def _shares(cls, shares: tuple[float | str, ...]) -> tuple[float, ...]:
        return tuple(read_share(share) for share in shares)

    def measure(self, view: View) -> Values:
        """Return the share of what is repeated, by rule."""
        from pilotlight.corpus.repeats import repeats_of

        size = max(len(view.text), 1)
        lines, line_characters = view.repeated_worded_lines
        paragraphs, paragraph_characters = view.repeated_worded_paragraphs
        found = repeats_of(view.words, _TOP, _AGAIN)
        return {
            "lines": lines / max(len(view.lines), 1),
            "line_characters": line_characters / size,
            "paragraphs": paragraphs / max(len(view.paragraphs), 1),
            "paragraph_characters": paragraph_characters / size,
            **{f"top_{n}": count / size for n, count in zip(_TOP, found.top, strict=True)},
            **{f"again_{n}": count / size for n, count in zip(_AGAIN, found.again, strict=True)},
        }

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return the first rule that is broken."""
        limits = [(part, "repeated " + part.replace("_", " "), getattr(self, part)) for part in _PARTS]
        limits += [
            (f"top_{n}", f"frequent {name} words", most)
            for n, name, most in zip(_TOP, ("two", "three", "four"), self.top, strict=True)
        ]
        limits += [(f"again_{n}", "repeated phrases", most) for n, most in zip(_AGAIN, self.again, strict=True)]
        for column, rule, most in limits:
            if (value := float(values[column])) > most:
                of = f"of the {column}" if column in ("lines", "paragraphs") else "of the characters"
                words = f" in runs of {column[6:]} words" if rule == "repeated phrases" else ""
                return f"{rule}: {value:.2f} {of}{words}, more than {most:g}"
        return None
