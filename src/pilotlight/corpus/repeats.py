"""Repetition inside a text: n-grams of words that come again, counted in characters.

Exact but for collisions of hashes (of 43 and more bits: one text in tens of thousands of 100,000 words each). A longer
n-gram can only come again where the shorter ones in it do, so only those places are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import numpy.typing as npt

from pilotlight.corpus.words import Hashes, Lengths, Rolling, Words

_FREQUENT = 4  # occurrences
_FEW = 64  # places for which a dictionary is faster than a dozen calls of numpy
_SHORT = 128  # words of a text for which it is


@final
@dataclass(frozen=True)
class Repeats:
    """Characters of words that stand in n-grams which come more than once; every word is counted once."""

    top: tuple[int, ...]
    """For each n asked for: characters in all occurrences of the most frequent n-gram (the first of them), if there
    are at least four."""
    again: tuple[int, ...]
    """For each n asked for: characters in n-grams that were there before."""


def repeats_of(words: Words, top: Sequence[int], again: Sequence[int]) -> Repeats:
    """Return the repetition of n-grams of so many words; ``top`` and ``again`` together rise.

    In scripts without spaces, where elements are characters, n words are as many characters as they count for.
    """
    pace = words.pace if words.unspaced else 1.0
    sizes = [round(n * pace) for n in (*top, *again)]
    found = [0] * len(sizes)
    ends = np.zeros(len(words.lengths) + 1, np.int64)
    np.cumsum(words.lengths, out=ends[1:])
    for index, (starts, later) in enumerate(_repeated(words.hashes, sizes)):
        chosen = _most_frequent(starts, later) if index < len(top) else np.sort(starts[later])
        stops = chosen + sizes[index]
        np.minimum(stops[:-1], chosen[1:], out=stops[:-1])
        found[index] = int((ends[stops] - ends[chosen]).sum())
    return Repeats(tuple(found[: len(top)]), tuple(found[len(top) :]))


_Places = tuple[Lengths, npt.NDArray[np.bool_]]
_Marks = npt.NDArray[np.bool_]


def _most_frequent(starts: Lengths, later: _Marks) -> Lengths:
    """Return the places of the n-gram that comes most often; of several, the one that begins first."""
    firsts = np.flatnonzero(~later)
    counts = np.diff(firsts, append=len(starts))
    most = int(counts.max())
    if most < _FREQUENT:
        return starts[:0]
    ties = firsts[counts == most]
    begin = int(ties[np.argmin(starts[ties])])
    return starts[begin : begin + most]


def _repeated(hashes: Hashes, sizes: Sequence[int]) -> Iterator[_Places]:
    """Yield for each size where the n-grams start that come more than once, by n-gram and then in order.

    Beside the starts stands whether each is of the same n-gram as the one before. The last is the last size at which
    something comes again.
    """
    count = len(hashes)
    if count <= sizes[0]:
        return
    if count <= _SHORT:
        yield from _few(hashes, list(range(count)), sizes)
        return
    rolling = Rolling(hashes)
    found = _alike(rolling.all_hashes(sizes[0]), np.arange(count - sizes[0] + 1, dtype=np.uint64), count)
    marked = np.zeros(count, np.bool_)
    for index, size in enumerate(sizes):
        if not len(found[0]):
            return
        yield found
        if index + 1 == len(sizes):
            return
        longer = sizes[index + 1]
        if len(found[0]) <= _FEW:
            yield from _few(hashes, sorted(found[0].tolist()), sizes[index + 1 :])
            return
        marked[:] = False
        marked[found[0]] = True
        last, step = max(count - longer + 1, 0), longer - size
        starts = np.flatnonzero(marked[:last] & marked[step : step + last])
        found = _alike(rolling.hashes(starts, starts + longer), starts.astype(np.uint64), count)


def _alike(grams: Hashes, starts: Hashes, count: int) -> _Places:
    """Return the starts of the n-grams that come more than once, by n-gram and then in order."""
    bits = np.uint64(count.bit_length())
    low = np.uint64((1 << count.bit_length()) - 1)
    # One sort of hash and place together is several times faster than a sort that returns the order.
    keys = (grams & ~low) | starts
    keys.sort()
    grams = keys >> bits
    later = np.zeros(len(keys) + 1, np.bool_)
    np.equal(grams[1:], grams[:-1], out=later[1:-1])
    keep = np.flatnonzero(later[1:] | later[:-1])
    return (keys[keep] & low).astype(np.int64), later[keep]


def _few(hashes: Hashes, starts: list[int], sizes: Sequence[int]) -> Iterator[_Places]:
    data, last = hashes.tobytes(), len(hashes)
    for size in sizes:
        grams: dict[bytes, list[int]] = {}
        for start in starts:
            if start + size <= last:
                grams.setdefault(data[8 * start : 8 * (start + size)], []).append(start)
        groups = [places for places in grams.values() if len(places) > 1]
        if not groups:
            return
        ordered = [place for places in groups for place in places]
        later = [number > 0 for places in groups for number in range(len(places))]
        yield np.array(ordered, np.int64), np.array(later, np.bool_)
        starts = sorted(ordered)
