"""Words of a text as 64-bit hashes, computed for all characters at once."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, final

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Int64, UInt8, UInt64

MOST_TOGETHER = 1 << 18
"""Characters that are looked at together: so few that the arrays stay in a processor's cache."""

_CODES = 0x110000
_LAST_WITH_CASE, _LAST_LETTER = 0x1F000, 0x40000
_BASE = 0x9E3779B97F4A7C15
_WITHOUT_SPACES = (
    (0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1950, 0x19DF), (0x1A20, 0x1AAF), (0x3005, 0x3007),
    (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F),
    (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x1B000, 0x1B16F), (0x20000, 0x3FFFF),
)  # fmt: skip
"""Thai, Lao, Burmese, Khmer, Tai, Japanese and Chinese: each character counts as a word."""
_SEPARATOR, _LETTER, _ALONE = 0, 1, 2


def mixed(values: UInt64[np.ndarray, " values"]) -> UInt64[np.ndarray, " values"]:
    """Return the values with every bit depending on every bit, one to one (the finalizer of SplitMix64).

    Source: Steele, Lea and Flood (2014), Fast splittable pseudorandom number generators.
    """
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@final
class Letters:
    r"""What each code point is (separator, letter of a word, word of its own), and a random number for each.

    A letter is what ``\w`` matches or a combining mark, which belongs to the letter before it. Both cases of a letter
    have the same number. In ``code`` the signs of ASCII are words of their own: an operator makes a difference.
    """

    def __init__(self, code: bool = False) -> None:
        classes = np.zeros(_CODES, dtype=np.uint8)
        for start in range(0, _LAST_LETTER, 0x10000):
            plane = "".join(map(chr, range(start, start + 0x10000)))
            for found in re.finditer(r"\w+", plane):
                classes[start + found.start() : start + found.end()] = _LETTER
        others = np.flatnonzero(classes[:_LAST_WITH_CASE] == _SEPARATOR).tolist()
        classes[[code for code in others if unicodedata.category(chr(code))[0] == "M"]] = _LETTER
        for first, last in _WITHOUT_SPACES:
            known = classes[first : last + 1]
            known[known == _LETTER] = _ALONE
        if code:
            classes[[sign for sign in map(ord, string.punctuation) if classes[sign] == _SEPARATOR]] = _ALONE
        lower = np.arange(_CODES, dtype=np.uint64)
        for letter in map(chr, range(_LAST_WITH_CASE)):
            small = letter.casefold()  # unlike lower(), it makes one letter of both forms of a small sigma
            if small != letter and len(small) == 1:
                lower[ord(letter)] = ord(small)
        numbers = mixed((lower + np.uint64(1)) * np.uint64(_BASE))
        numbers[classes == _SEPARATOR] = 0
        self.classes: UInt8[np.ndarray, " codes"] = classes
        self.numbers: UInt64[np.ndarray, " codes"] = numbers
        self.powers, self.inverses = _powers(_BASE), _powers(pow(_BASE, -1, 1 << 64))


def _powers(base: int) -> UInt64[np.ndarray, " characters"]:
    return np.multiply.accumulate(
        np.concatenate([[np.uint64(1)], np.full(MOST_TOGETHER - 1, base, dtype=np.uint64)]), dtype=np.uint64
    )


@cache
def letters(code: bool = False) -> Letters:
    """Return the table of letters of prose, or of code, made once in a process (0.1 s)."""
    return Letters(code)


def words(text: str, code: bool = False) -> tuple[UInt64[np.ndarray, " words"], Int64[np.ndarray, " words"]]:
    """Return the hash of each word of at most ``MOST_TOGETHER`` characters, and where in the text it begins.

    In ``code`` every sign of ASCII is a word too.
    The hash of a word is a polynomial in its letters (so that all of them come from one running sum), then mixed.
    """
    table = letters(code)
    if text.isascii():
        codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
    else:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    classes = table.classes.take(codes)
    values = table.numbers.take(codes)
    values *= table.powers[: len(codes)]
    inside = np.zeros(len(codes) + 2, dtype=bool)
    np.equal(classes, _LETTER, out=inside[1:-1])
    if (code or codes.dtype == np.uint32) and (classes == _ALONE).any():
        alone = classes == _ALONE
        begins = np.flatnonzero((inside[1:-1] & ~inside[:-2]) | alone)
        ends = np.flatnonzero((inside[1:-1] & ~inside[2:]) | alone)
    else:
        edges = np.flatnonzero(inside[1:] != inside[:-1])
        begins, ends = edges[0::2], edges[1::2] - 1
    first = values.take(begins)
    sums = np.cumsum(values, out=values)
    hashes = (sums.take(ends) - sums.take(begins) + first) * table.inverses.take(begins)
    return mixed(hashes), begins


def pieces(text: str) -> Iterator[str]:
    """Return the text in pieces of at most ``MOST_TOGETHER`` characters, cut between words where that is possible."""
    start = 0
    while len(text) - start > MOST_TOGETHER:
        end = start + MOST_TOGETHER
        space = max(text.rfind(" ", end - 1000, end), text.rfind("\n", end - 1000, end))
        end = space if space > start else end
        yield text[start:end]
        start = end
    yield text[start:] if start else text


def composed(text: str) -> str:
    """Return the text with accents encoded the one standard way (NFC)."""
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return text
    return unicodedata.normalize("NFC", text)
