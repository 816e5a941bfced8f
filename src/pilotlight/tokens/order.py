"""Which row comes when: permutations that take no memory, and turns of groups of documents by their shares."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from pilotlight.tokens.journal import Entry, Weights
from pilotlight.tokens.rows import Rows

if TYPE_CHECKING:
    from jaxtyping import Int64, Integer, UInt64

ROUNDS = 6
SMALLEST_HALF = 4
_STATE_EVERY = 256
_LATEST = 4
_SMALL = 4096
_CLOSE = 1e-9


@final
class Permutation:
    """A permutation of ``range(size)`` from six random keys: a Feistel network that walks until it is in range.

    (Black and Rogaway 2002.) It takes no memory, whatever the size.
    """

    def __init__(self, size: int, random: np.random.Generator) -> None:
        self._keys = random.integers(1 << 63, size=ROUNDS, dtype=np.uint64)
        self._size = size
        self._half = np.uint64(max(SMALLEST_HALF, -(-(size - 1).bit_length() // 2)))
        self._mask = np.uint64((1 << int(self._half)) - 1)

    def at(self, index: Int64[np.ndarray, " rows"]) -> Int64[np.ndarray, " rows"]:
        """Return where the permutation sends each index."""
        return self._table[index] if self._size <= _SMALL else self._walk(index)

    @cached_property
    def _table(self) -> Int64[np.ndarray, " size"]:
        # Into a small range the walk is long, up to 256 turns for one index: all at once it costs as much as for one.
        return self._walk(np.arange(self._size)) if self._size > 1 else np.zeros(1, dtype=np.int64)

    def _walk(self, index: Int64[np.ndarray, " rows"]) -> Int64[np.ndarray, " rows"]:
        found = self._once(index.astype(np.uint64))
        while (outside := found >= self._size).any():
            found[outside] = self._once(found[outside])
        return found.astype(np.int64)

    def _once(self, value: UInt64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
        left, right = value >> self._half, value & self._mask
        for key in self._keys:
            left, right = right, left ^ (mixed(right ^ key) & self._mask)
        return (left << self._half) | right


def mixed(value: UInt64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
    """Return the finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit in decides about half of those out."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


class Length(NamedTuple):
    """How long a training is: steps, rows of a full batch, tokens of a row."""

    steps: int
    rows: int
    context: int
    counts: Rows | None = None
    """Rows of each batch; None: always ``rows``."""

    @property
    def tokens(self) -> int:
        """Tokens that are predicted, padding included."""
        return (self.steps * self.rows if self.counts is None else self.counts.before(self.steps)) * self.context

    def done(self, place: int) -> float:
        """Return the share of the training, by rows, that is over in the middle of the batch at a place; at most 1."""
        if self.counts is None:
            return min(1.0, (place + 0.5) / self.steps)
        rows = (self.counts.before(place) + self.counts.before(place + 1)) / 2
        return min(1.0, rows / self.counts.before(self.steps))


@final
@dataclass(frozen=True)
class Mix:
    """Groups of documents, and the share of the rows that each gets at each place of the stream."""

    names: tuple[str, ...]
    """Names of the groups."""
    groups: Integer[np.ndarray, " documents"]
    """Group of each document, an index of ``names``; -1 for documents that are left out."""
    shares: Callable[[int], Sequence[float]]
    """Share of each group at a place of the stream, a step before anything was skipped; they sum to 1."""

    @cached_property
    def documents(self) -> tuple[Int64[np.ndarray, " documents"], ...]:
        """The documents of each group, in order."""
        order = np.argsort(self.groups, kind="stable")
        ends = np.cumsum(np.bincount(self.groups + 1, minlength=len(self.names) + 1))
        return tuple(np.split(order, ends[:-1])[1:])


class Taken(NamedTuple):
    """The groups of the rows of one step, and the number of each row within its group."""

    groups: Int64[np.ndarray, " rows"]
    numbers: Int64[np.ndarray, " rows"]


class _State(NamedTuple):
    given: tuple[int, ...]
    due: tuple[float, ...]
    """What each group should have got by its shares, less what it was given: small numbers, so sums stay exact."""


@final
class Turns:
    """Gives every row of the stream to a group so that each has its share at any time, within one row.

    The j-th row of a group may be taken once j - 1 rows are due to it and has to be before j are; of those that may
    be taken, the one that has to be taken first is (earliest deadline first). For shares that stay as they are this
    keeps each group's count at its due, rounded up or down, after every row: such a plan exists (Tijdeman 1980, the
    chairman assignment problem), and for rows of one size this rule finds it. Shares that change over time move deadlines a
    little. A group without a share gets no row.

    The rule goes from the first row on (about 0.2 microseconds a row and group); states on the way are kept.
    """

    def __init__(self, mix: Mix, rows: int | Rows, journal: Sequence[Entry] = (), before: Turns | None = None) -> None:
        self._mix, self._rows = mix, Rows(((0, rows),)) if isinstance(rows, int) else rows
        self._weights = [entry for entry in journal if isinstance(entry, Weights)]
        self._starts = [entry.step for entry in self._weights]
        groups = len(mix.names)
        self._regular = [_State((0,) * groups, (0.0,) * groups)]
        self._latest: dict[int, _State] = {}
        if before is not None:
            known = len(before._weights)
            until = self._starts[known] if known < len(self._starts) else None
            self._regular = list(before._regular if until is None else before._regular[: until // _STATE_EVERY + 1])
            self._latest = {at: state for at, state in before._latest.items() if until is None or at <= until}

    def shares(self, place: int) -> tuple[float, ...]:
        """Return the share of each group at a place of the stream."""
        at = bisect_right(self._starts, place) - 1
        if at >= 0:
            found = self._weights[at].weights
            return tuple(found.get(name, 0.0) for name in self._mix.names)
        return tuple(self._mix.shares(place))

    def at(self, place: int) -> Taken:
        """Return the groups of the rows at a place of the stream."""
        state = self._reach(place)
        groups, after = self._go(place, state)
        self._keep(place + 1, after)
        found = np.array(groups, dtype=np.int64)
        numbers = np.empty(len(found), dtype=np.int64)
        for group, first in enumerate(state.given):
            mine = found == group
            numbers[mine] = first + np.arange(int(mine.sum()))
        return Taken(found, numbers)

    def given(self, place: int) -> tuple[int, ...]:
        """Return how many rows each group has got before a place of the stream."""
        return self._reach(place).given

    def _reach(self, place: int) -> _State:
        number = min(place // _STATE_EVERY, len(self._regular) - 1)
        start, state = number * _STATE_EVERY, self._regular[number]
        for known, latest in self._latest.items():
            if start < known <= place:
                start, state = known, latest
        for earlier in range(start, place):
            state = self._go(earlier, state)[1]
            if (earlier + 1) == len(self._regular) * _STATE_EVERY:
                self._regular.append(state)
        self._keep(place, state)
        return state

    def _keep(self, place: int, state: _State) -> None:
        if place == len(self._regular) * _STATE_EVERY:
            self._regular.append(state)
        self._latest[place] = state
        if len(self._latest) > _LATEST:
            del self._latest[next(iter(self._latest))]

    def _go(self, place: int, state: _State) -> tuple[list[int], _State]:
        weights = self.shares(place)
        given, due = list(state.given), list(state.due)
        active = [group for group, weight in enumerate(weights) if weight > 0]
        found: list[int] = []
        for _ in range(self._rows.at(place)):
            best, least = -1, float("inf")
            early, soonest = -1, float("inf")
            for group in active:
                due[group] = over = due[group] + weights[group]
                deadline = (1.0 - over) / weights[group]
                if over > _CLOSE:
                    if deadline < least:
                        best, least = group, deadline
                elif deadline < soonest:
                    early, soonest = group, deadline
            if best < 0:
                best = early
            given[best] += 1
            due[best] -= 1.0
            found.append(best)
        return found, _State(tuple(given), tuple(due))
