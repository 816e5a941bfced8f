"""Places in a text that are chosen by what stands around them, so that equal passages have equal places chosen."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.corpus.hashed_words import mix

if TYPE_CHECKING:
    from jaxtyping import Bool, Integer, UInt32, UInt64

_BLOCK = 1 << 15
_BASE = 0xD1342543DE82EF95


@cache
def _powers(length: int) -> tuple[UInt64[np.ndarray, " characters"], UInt64[np.ndarray, " characters"]]:
    both: list[Any] = []
    for factor in (_BASE, pow(_BASE, -1, 1 << 64)):
        steps = np.full(length, factor, np.uint64)
        steps[0] = 1
        both.append(np.multiply.accumulate(steps))
    return both[0], both[1]


def window_hashes(codes: UInt32[np.ndarray, " characters"], width: int) -> UInt64[np.ndarray, " windows"]:
    """Return a hash of 64 bits of every ``width`` characters: a polynomial, by differences of running sums."""
    count = len(codes) - width + 1
    found = np.empty(max(count, 0), np.uint64)
    power, inverse = _powers(_BLOCK + width)
    sums = np.zeros(_BLOCK + width + 1, np.uint64)
    for start in range(0, count, _BLOCK):
        stop = min(start + _BLOCK, count)
        size = stop - start + width - 1
        np.cumsum((codes[start : start + size] + np.uint32(1)) * power[:size], out=sums[1 : size + 1])
        found[start:stop] = mix((sums[width : size + 1] - sums[: stop - start]) * inverse[: stop - start])
    return found


def _slide(values: np.ndarray[Any, Any], width: int, choose: Any) -> np.ndarray[Any, Any]:
    """Return the least (or greatest) of every ``width`` values, in steps that double."""
    have = 1
    while have < width:
        step = min(have, width - have)
        values = choose(values[:-step], values[step:])
        have += step
    return values


def anchors(
    hashes: UInt64[np.ndarray, " windows"], outside: Bool[np.ndarray, " windows"], window: int
) -> Integer[np.ndarray, " anchors"]:
    """Return the places whose hash is the least of some ``window`` neighbours, none of which is ``outside``.

    Winnowing (Schleimer et al. 2003): of any ``window`` windows in a row that two texts share, at least one place is
    chosen in both. About ``2 / (window + 1)`` of all places are chosen.
    """
    if len(hashes) < window:
        return np.zeros(0, np.int64)
    order = (hashes >> np.uint64(33)).astype(np.int32)
    least = _slide(order, window, np.minimum)
    # A run of windows that reaches into the next document chooses nothing: -1 is below every hash.
    crossing = np.concatenate([np.zeros(1, np.int64), np.cumsum(outside, dtype=np.int64)])
    least[crossing[window:] > crossing[:-window]] = -1
    edge = np.full(window - 1, -1, np.int32)
    greatest = _slide(np.concatenate([edge, least, edge]), window, np.maximum)
    return np.flatnonzero((greatest == order) & ~outside)


def thinned(
    places: Integer[np.ndarray, " anchors"], keys: UInt64[np.ndarray, " anchors"], window: int
) -> Integer[np.ndarray, " kept"]:
    """Return which anchors to keep of those that repeat: one per ``window`` where a key follows itself closely.

    In text that repeats one character every place is the least of its neighbours.
    """
    if not len(places):
        return np.zeros(0, np.int64)
    again = np.zeros(len(places) + 1, bool)
    again[1:-1] = (keys[1:] == keys[:-1]) & (places[1:] - places[:-1] < window)
    starts = np.flatnonzero(~again[:-1])
    begin = np.repeat(places[starts], np.diff(np.append(starts, len(places))))
    turn = (places - begin) // window
    fresh = np.ones(len(places), bool)
    fresh[1:] = turn[1:] != turn[:-1]
    last = ~again[1:]
    return np.flatnonzero(~again[:-1] | fresh | last)
