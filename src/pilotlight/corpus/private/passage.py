"""A text in which private data is looked for: the numbers in it, and what stands around a candidate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, final

from pilotlight.corpus.private import signs

GAPS = " \u00a0\u2009\u202f"
"""Blanks that stand inside a number: plain, unbreakable, thin."""
DASHES = "\\-\u2010\u2011\u2013"
"""Dashes that stand inside a number, as they are written in a class of a regular expression."""

# Texts are scanned as classes of characters, one byte each: every digit is a 0, so a search for digits is one for a
# single byte, which takes a fifth of the time of one for a set of characters.
_RUNS: Final = re.compile(
    # A run of at least six digits with separators between them, or with three points.
    rb"0(?:(?=[0 .\-]{5})(?=(?:[ .\-]{0,3}+0){5}|[0 \-]{0,20}+(?:\.[0 \-]{0,20}+){3})0*+(?:[ .\-]{1,3}+0++)*+"
    # Or the first digits behind a letter, where those of an identifier begin.
    rb"|(?<=[aK]0)(0|(?=[ .\-][0 .\-]{4}))"
    # Or a digit of a long word of digits and letters (such as a wallet).
    rb"|(?=[0aK]{25})()"
    # Or four digits behind a blank, such as a year.
    rb"|(?<= 0)000(?!0)())"
)
_WALLET: Final = re.compile(r"[13](?<![0-9A-Za-z_][13])[1-9A-HJ-NP-Za-km-z]{25,34}+")
_LONG, _FOUR_DIGITS = 2, 3
_JOINED = re.compile("[0-9][0-9]")


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
        self._classes = signs.classes_of(text)
        self.numbers: list[tuple[int, int]] = []
        """Runs of at least six digits, or with three points, with the separators inside them."""
        self.codes: list[tuple[int, int]] = []
        """Words of letters and digits: longer than six, or with two letters before the digits, as an IBAN begins."""
        self.dated: list[tuple[int, int]] = []
        """Runs of digits in which the year of a written date can stand: four digits behind a blank, and the numbers."""
        self.long = False
        """Whether 25 letters and digits stand in a row somewhere behind a digit."""
        self.signs = signs.found_in(text, self._classes)
        """Which detectors can find anything in the text: a set of bits."""
        if self.signs & signs.DIGIT:
            self._read()

    def _read(self) -> None:
        text, done, skipped = self.text, 0, 0
        for match in _RUNS.finditer(self._classes):
            start, end = match.span()
            which = match.lastindex
            if start < skipped:
                continue
            if which == _FOUR_DIGITS:
                if text[start] in "12" and text[start - 1 : start] == " ":
                    self.dated.append((start, end))
                continue
            if which == _LONG:
                self.long = True
                wallet = _WALLET.match(text, start)
                if wallet is not None:
                    skipped = wallet.end()
                    self.codes.append((start, skipped))
                    self._number(start, skipped)
                continue
            if start > done and (before := text[start - 1]).isascii() and before.isalnum():
                first, done = _word_around(text, start, end)
                if done - first > 6 or start - first == 2:
                    self.codes.append((first, done))
            if which is None:
                self._number(start, end)

    def _number(self, start: int, end: int) -> None:
        self.dated.append((start, end))
        if end - start >= 6 and (self.digits(start, end) >= 6 or self.text.count(".", start, end) >= 3):
            self.numbers.append((start, end))

    def capitals(self) -> Iterator[int]:
        """Yield the places of capitals that keys of some issuers begin with, at the beginning of a long word."""
        return signs.capitals(self._classes) if self.signs & signs.CAPITAL else iter(())

    def digits(self, first: int, last: int) -> int:
        """Return how many digits stand between two places."""
        return self._classes.count(b"0", first, last)

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
