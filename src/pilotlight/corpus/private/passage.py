"""A text in which private data is looked for: what stands around a candidate, and what has been replaced already."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple, final

GAPS = " \u00a0\u2009\u202f"
"""Blanks that stand inside a number: plain, unbreakable, thin."""
DASHES = "\\-\u2010\u2011\u2013"
"""Dashes that stand inside a number, as they are written in a class of a regular expression."""

_RUNS = re.compile(
    # A run of digits with separators between them: at least five more digits or separators after the first digit.
    rf"[0-9](?:(?=[0-9{GAPS}{DASHES}.()/]{{5}})[0-9]*+(?:[{GAPS}{DASHES}.()/]{{1,3}}+[0-9]++)*+"
    # Or the first digit of a long word of digits and letters (such as a wallet).
    r"|(?<=[13])(?<![0-9A-Za-z_][13])[1-9A-HJ-NP-Za-km-z]{25,34}+"
    # Or two digits directly behind a letter, where the digits of an identifier begin.
    r"|(?<=[A-Za-z][0-9])[0-9])"
)
_JOINED = re.compile("[0-9][0-9]")
_BETWEEN = re.compile("[^0-9]+")


def word_set(words: str) -> frozenset[str]:
    """Return the words of a text that has blanks between them."""
    return frozenset(words.split())


class Finding(NamedTuple):
    """Private data at a place in a text: characters from ``start`` up to ``end``."""

    start: int
    end: int
    kind: str
    strength: int
    """How sure the rule is: where findings overlap the surest stays, then the longest, then the first."""


@final
class Passage:
    """A text, the countries whose formats are expected in it, and the runs of digits in it, found once."""

    def __init__(self, text: str, regions: Iterable[str] = (), placeholder: re.Pattern[str] | None = None) -> None:
        self.text = text
        self.regions = frozenset(regions)
        self._placeholder = placeholder
        self.numbers: list[tuple[int, int]] = []
        """Runs of at least six digits, or with three points, with the separators inside them."""
        self.codes: list[tuple[int, int]] = []
        """Words of letters and digits that are as long as an identifier, or a group of it."""
        self._read()

    def _read(self) -> None:
        text, done = self.text, 0
        for match in _RUNS.finditer(text):
            start, end = match.span()
            run = match[0]
            if start and text[start - 1].isalnum() and text[start - 1].isascii() and start > done:
                first, done = _word_around(text, start, end)
                self.codes.append((first, done))
            elif end - start >= 26 and run.isalnum() and not run.isdigit():
                self.codes.append((start, end))
            if end - start >= 6 and (run.isdigit() or len(_BETWEEN.sub("", run)) >= 6 or run.count(".") >= 3):
                self.numbers.append((start, end))

    def apart(self, first: int, last: int) -> bool:
        """Return whether a long run has each digit by itself, as in a row of a table: nothing is written like that."""
        return last - first > 60 and _JOINED.search(self.text, first, last) is None

    def before(self, start: int, width: int = 60) -> str:
        """Return the ``width`` characters before ``start`` in lower case, without placeholders."""
        return self._plain(self.text[max(0, start - width) : start])

    def after(self, end: int, width: int = 16) -> str:
        """Return the ``width`` characters after ``end`` in lower case, without placeholders."""
        return self._plain(self.text[end : end + width])

    def _plain(self, words: str) -> str:
        if self._placeholder is not None:
            words = self._placeholder.sub(" ", words)
        return words.lower()


_WORD = re.compile(r"[0-9A-Za-z]{1,64}")


def _word_around(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the word of ASCII letters and digits around a place; at most 40 characters to the left."""
    left = text[max(0, start - 40) : start]
    first = start - (len(left) - len(left.rstrip(_LETTERS)))
    match = _WORD.match(text, end)
    return first, match.end() if match else end


_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
