"""The words of a text as arrays: their hashes, lengths and classes, from one pass of numpy over its characters.

A word is a run of letters, marks, digits and underscores; apostrophes and middle dots inside it, and points and commas
between two digits, belong to it (close to Unicode's annex 29). In scripts that write without spaces every character
is an element of its own, and a word is counted for so many of them as stand for one English word in translations.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import final

import numpy as np
import numpy.typing as npt

from pilotlight.corpus import characters as c

Hashes = npt.NDArray[np.uint64]
Lengths = npt.NDArray[np.int64]

_BLOCK = 1 << 16  # characters looked at together: arrays stay in the cache, and memory stays small
_AT_ONCE = 1024  # words compared with a list together
_REACH = 4096  # how far beyond a block a space is looked for
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(31)
_BASE = 0x5851F42D4C957F2D | 1  # of the rolling hash; odd, so that it has an inverse


@final
@dataclass(frozen=True)
class Words:
    """The elements of a text in order: words, and single characters of scripts without spaces."""

    hashes: Hashes
    """64 bits for each element; equal for equal elements, upper and lower case differ."""
    lengths: Lengths
    """Characters of each element."""
    classes: c.Classes
    """Classes of the characters of each element, joined by *or*; those of what stands behind it may be there too."""
    scripts: npt.NDArray[np.int64]
    """How many elements are characters of each script without spaces."""
    syllables: int
    """Letters of scripts, with spaces, in which letters are syllables or vowels are marks, as Hangul and Tamil."""
    sentences: int
    """Ends of sentences: a mark such as ``.`` or ``?`` before white space, a closing mark or the end."""

    @cached_property
    def single(self) -> int:
        """Number of elements that are single characters of a script without spaces."""
        return int(self.scripts.sum())

    @cached_property
    def unspaced(self) -> bool:
        """Whether most of the letters are of scripts that write without spaces."""
        return 2 * self.single > int(self.lengths.sum())

    @cached_property
    def comparable(self) -> bool:
        """Whether the length of the words says the same as in English: most letters are of an alphabet."""
        return not self.unspaced and 2 * self.syllables <= int(self.lengths.sum())

    @cached_property
    def pace(self) -> float:
        """Characters of a script without spaces that count as one word: a mean over those in the text."""
        if not self.single:
            return 1.0
        counts = self.scripts.astype(np.float64)
        if counts[1] > 0.1 * counts[0]:  # kana among the ideographs: Japanese
            counts[1], counts[0] = counts[0] + counts[1], 0.0
        return float(counts.sum() / (counts / np.array([pace for _, pace, _ in c.GROUPS])).sum())

    @cached_property
    def count(self) -> int:
        """Number of words."""
        return len(self.hashes) - self.single + round(self.single / self.pace)

    @cached_property
    def without_letters(self) -> int:
        """Number of words in which there is no letter."""
        return int(np.count_nonzero((self.classes & np.uint16(c.LETTER)) == 0))

    @cached_property
    def mean_length(self) -> float:
        """Mean characters of the words of scripts with spaces; 0 if there are none."""
        count = len(self.hashes) - self.single
        return (int(self.lengths.sum()) - self.single) / count if count else 0.0


def powers(base: int, count: int) -> Hashes:
    """Return ``base`` to the power of 0, 1, 2, ... count - 1, modulo 2**64."""
    found = np.full(count, np.uint64(base & 0xFFFFFFFFFFFFFFFF))
    found[:1] = 1
    return np.multiply.accumulate(found)


def mixed(values: Hashes) -> Hashes:
    """Return the values spread over all 64 bits, in place."""
    values ^= values >> _SHIFT
    values *= _MIX
    values ^= values >> _SHIFT
    return values


_UP = powers(_BASE, _BLOCK + _REACH)
_DOWN = powers(pow(_BASE, -1, 1 << 64), _BLOCK + _REACH)


@final
class Rolling:
    """Hashes of any stretch of a sequence, from sums of its elements times powers of a base (Karp and Rabin 1987)."""

    def __init__(self, values: Hashes) -> None:
        count = len(values)
        enough = count <= len(_UP)
        up = _UP[:count] if enough else powers(_BASE, count)
        self._down = _DOWN if enough else powers(pow(_BASE, -1, 1 << 64), count)
        self._sums = np.empty(count + 1, np.uint64)
        self._sums[0] = 0
        np.cumsum(values * up, out=self._sums[1:])

    def all_hashes(self, size: int) -> Hashes:
        """Return a hash of every stretch of this size, in order."""
        found = self._sums[size:] - self._sums[:-size]
        found *= self._down[: len(found)]
        return mixed(found)

    def hashes(self, starts: Lengths, ends: Lengths) -> Hashes:
        """Return a hash of each stretch from a start to (not with) its end."""
        found = self._sums[ends]
        found -= self._sums[starts]
        found *= self._down[starts]
        return mixed(found)


_ASCII = mixed((np.arange(128, dtype=np.uint64) + np.uint64(1)) * _STEP)


def hash_word(word: str) -> int:
    """Return the hash that this word has in ``Words.hashes``."""
    return int(words_of(word).hashes[0])


def words_of(text: str) -> Words:
    """Return the words of a text."""
    if len(text) <= _BLOCK:
        return _block(text)
    parts: list[Words] = []
    start = 0
    while start < len(text):
        end = min(start + _BLOCK, len(text))
        if end < len(text):
            space = text.find(" ", end, end + _REACH)
            end = space if space >= 0 else end
        parts.append(_block(text[start:end]))
        start = end
    return Words(
        np.concatenate([part.hashes for part in parts]),
        np.concatenate([part.lengths for part in parts]),
        np.concatenate([part.classes for part in parts]),
        np.sum([part.scripts for part in parts], axis=0),
        sum(part.syllables for part in parts),
        sum(part.sentences for part in parts),
    )


def _block(text: str) -> Words:
    points = c.codes(text)
    classes = c.classify(points)
    padded = np.zeros(len(classes) + 2, np.uint16)
    padded[1:-1] = classes
    sentences = _sentences(padded)
    _join(padded)
    inside = (padded & np.uint16(c.WORD)) != 0
    plain = points.dtype == np.uint8
    single = None if plain else (padded & np.uint16(c.UNSPACED)) != 0
    syllables = 0 if plain else int(np.count_nonzero(classes & np.uint16(c.SYLLABLE)))
    edges = inside[1:] != inside[:-1]
    scripts = np.zeros(len(c.GROUPS), np.int64)
    if single is None or not single.any():
        places = np.flatnonzero(edges)
        starts, ends = places[::2], places[1::2]
    else:
        # A character of a script without spaces begins and ends an element wherever it stands.
        alone = single[1:] | single[:-1]
        starts = np.flatnonzero((edges | alone) & inside[1:])
        ends = np.flatnonzero((edges | alone) & inside[:-1])
        scripts = c.characters_of_scripts(points[single[1:-1]].astype(np.uint32))
    if not len(starts):
        empty = np.zeros(0, np.int64)
        return Words(empty.astype(np.uint64), empty, empty.astype(np.uint16), scripts, syllables, sentences)
    values = _ASCII.take(points, mode="clip") if plain else mixed((points.astype(np.uint64) + np.uint64(1)) * _STEP)
    return Words(
        Rolling(values).hashes(starts, ends), ends - starts, np.bitwise_or.reduceat(classes, starts), scripts, syllables,
        sentences,
    )  # fmt: skip


def _sentences(padded: c.Classes) -> int:
    marks = np.flatnonzero((padded & np.uint16(c.TERMINAL)) != 0)
    if not len(marks):
        return 0
    behind = padded[marks + 1]
    ends = (behind & np.uint16(c.SPACE | c.CLOSER)) != 0
    ends |= ((padded[marks] & np.uint16(c.WIDE)) != 0) & ((behind & np.uint16(c.TERMINAL)) == 0)
    ends |= marks == len(padded) - 2
    return int(np.count_nonzero(ends))


def _join(padded: c.Classes) -> None:
    """Make apostrophes inside words, and points between digits, parts of the words."""
    joints = np.flatnonzero((padded & np.uint16(c.INNER | c.POINT)) != 0)
    if len(joints):
        both = padded[joints - 1] & padded[joints + 1]
        inner = (padded[joints] & np.uint16(c.INNER)) != 0
        padded[joints[np.where(inner, both & np.uint16(c.LETTER), both & np.uint16(c.DIGIT)) != 0]] |= np.uint16(c.WORD)


def count_present(words: Words, listed: tuple[str, ...]) -> int:
    """Return how many of the listed words are there, in lower case, upper case, or with a capital."""
    forms = _forms(listed)
    missing = np.ones(len(listed), np.bool_)
    for start in range(0, len(words.hashes), _AT_ONCE):
        some = words.hashes[start : start + _AT_ONCE]
        missing[missing] = ~(forms[missing][:, :, None] == some).any(axis=(1, 2))
        if not missing.any():
            break
    return int(np.count_nonzero(~missing))


@cache
def _forms(listed: tuple[str, ...]) -> Hashes:
    return np.array(
        [[hash_word(form) for form in (word, word.upper(), word.capitalize())] for word in listed], np.uint64
    )
