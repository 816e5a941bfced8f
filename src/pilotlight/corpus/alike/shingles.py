"""Texts as sets of sequences of words (shingles), by which their similarity is measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np

from pilotlight.corpus.alike.words import MOST_TOGETHER, composed, mixed, pieces, words
from pilotlight.corpus.sameness import text_key

if TYPE_CHECKING:
    from jaxtyping import Int64, UInt32, UInt64

_STEP = 0xD1342543DE82EF95


@final
@dataclass(frozen=True, slots=True)
class Sets:
    """The shingles of some texts, one set after the other; a shingle is the upper half of a 64-bit hash."""

    hashes: UInt32[np.ndarray, " shingles"]
    """Increasing within a text."""
    ends: Int64[np.ndarray, " bounds"]
    """0, then where the set of each text ends."""


def shingle_sets(texts: Iterable[tuple[str, bool]], length: int) -> Iterator[Sets]:
    """Return the sets of shingles of the texts in order, in batches: what a sequence of ``length`` words is made of.

    Each text comes with whether it is code. In code every sign counts as a word, and sequences are twice as long: about
    half of the tokens of code are signs, so a changed name weighs as much as a changed word of prose.
    A text with fewer words is one shingle, of all its words; one without any is one shingle too, its ``text_key``.
    Two different shingles are taken for one with a chance of 2^-32: too seldom to matter for a similarity.
    """
    together: list[str] = []
    size, kind = 0, False
    for given, code in texts:
        text = composed(given)
        if together and (code != kind or size + len(text) + 1 > MOST_TOGETHER):
            yield _batch(together, length, kind)
            together, size = [], 0
        together.append(text)
        size += len(text) + 1
        kind = code
    if together:
        yield _batch(together, length, kind)


def _batch(texts: list[str], length: int, code: bool) -> Sets:
    length *= 1 + code
    if len(texts) == 1:
        found = [words(piece, code)[0] for piece in pieces(texts[0])]
        hashes = np.concatenate(found) if len(found) > 1 else found[0]
        counts = np.array([len(hashes)])
    else:
        hashes, begins = words("\n".join(texts), code)
        lengths = np.fromiter(map(len, texts), np.int64, len(texts)) + 1
        starts = np.cumsum(lengths) - lengths
        bounds = np.append(np.searchsorted(begins, starts), len(begins))
        counts = np.diff(bounds)
    whole, numbers = _long(hashes, counts, length)
    parts = [(numbers.astype(np.uint64) << np.uint64(32)) | (whole >> np.uint64(32))]
    short = np.flatnonzero(counts < length)
    if len(short):
        firsts = np.cumsum(counts) - counts
        few = [_short(hashes[firsts[at] : firsts[at] + counts[at]], texts[at]) for at in short.tolist()]
        parts.append((short.astype(np.uint64) << np.uint64(32)) | np.array(few, dtype=np.uint64))
    keys = np.concatenate(parts) if len(parts) > 1 else parts[0]
    keys.sort()
    new = np.empty(len(keys), dtype=bool)
    new[:1] = True
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    keys = keys[new]
    ends = np.searchsorted(keys, np.arange(len(texts) + 1, dtype=np.uint64) << np.uint64(32))
    return Sets(keys.astype(np.uint32), ends.astype(np.int64))


def _long(
    hashes: UInt64[np.ndarray, " words"], counts: Int64[np.ndarray, " texts"], length: int
) -> tuple[UInt64[np.ndarray, " shingles"], Int64[np.ndarray, " shingles"]]:
    """Return the hashes of all sequences of ``length`` words that lie in one text, and the number of their text."""
    many = len(hashes) - length + 1
    if many <= 0:
        return np.zeros(0, dtype=np.uint64), np.zeros(0, dtype=np.int64)
    total = hashes[:many].copy()
    for place in range(1, length):
        total *= np.uint64(_STEP)
        total += hashes[place : place + many]
    total = mixed(total)
    if len(counts) == 1:
        return total, np.zeros(many, dtype=np.int64)
    numbers = np.repeat(np.arange(len(counts)), counts)
    inside = numbers[:many] == numbers[length - 1 :]
    return total[inside], numbers[:many][inside]


def _short(hashes: UInt64[np.ndarray, " words"], text: str) -> int:
    if not len(hashes):
        return text_key(text) >> 96
    total = len(hashes)
    for number in hashes.tolist():
        total = (total * _STEP + number) & (2**64 - 1)
    return int(mixed(np.array([total], dtype=np.uint64))[0] >> np.uint64(32))
