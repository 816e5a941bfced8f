"""Rows that cut as few documents as can be: best-fit packing (Ding et al. 2024, arXiv 2404.10830).

A document of more tokens than the context gives whole rows and a rest; rests and shorter documents are put together, the
longest first, each into the fullest row that still holds it. Pieces of one length are placed together, so a million
documents take a fraction of a second. Packing goes over windows of documents, each a systematic sample of all, so that
memory is bounded and a window is as mixed as the whole.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from pilotlight.randomness import seed_for
from pilotlight.tokens.order import mixed
from pilotlight.tokens.packing import PADDING, Packing
from pilotlight.tokens.tokens import Split

if TYPE_CHECKING:
    from jaxtyping import Int64

WINDOW = 1 << 20
"""Documents that are packed together."""


def fit(counts: Int64[np.ndarray, " lengths"], space: int) -> tuple[Int64[np.ndarray, " pieces"], int]:
    """Return the bin of each piece, the longest piece first, and the number of bins of ``space``.

    ``counts[n]`` pieces have length n. The result is that of best-fit decreasing, one piece after another.
    """
    free: list[int] = []  # numbers of free places that some bin has, rising
    bins: dict[int, list[np.ndarray]] = {}
    placed: list[np.ndarray] = []
    total = 0

    def leave(left: int, some: np.ndarray) -> None:
        if len(some) and left:
            if left not in bins:
                insort(free, left)
            bins.setdefault(left, []).append(some)

    for length in range(len(counts) - 1, 0, -1):
        missing = int(counts[length])
        while missing:
            at = bisect_left(free, length)
            used = at < len(free)
            room = free.pop(at) if used else space
            each = room // length
            # The same length goes into a bin until it is full: what it leaves there is the tightest room there is.
            needed = -(-missing // each)
            if used:
                parts = bins.pop(room)
                ready = parts[0] if len(parts) == 1 else np.concatenate(parts)
                leave(room, ready[needed:])
                ready = ready[:needed]
            else:
                ready = np.arange(total, total + needed)
                total += needed
            some = min(missing, len(ready) * each)
            placed.append(np.repeat(ready, each)[:some])
            whole, rest = divmod(some, each)
            leave(room - each * length, ready[:whole])
            leave(room - rest * length, ready[whole : whole + 1])
            missing -= some
    return np.concatenate(placed) if placed else np.zeros(0, dtype=np.int64), total


class _Rows(NamedTuple):
    """A window that is packed: rows that are one piece of a long document, then rows of several pieces."""

    order: Int64[np.ndarray, " rows"]
    """The row at each place."""
    long: Int64[np.ndarray, " documents+1"]
    """Rows of long documents before each document."""
    starts: Int64[np.ndarray, " documents"]
    """Where each document begins."""
    piece_starts: Int64[np.ndarray, " pieces"]
    piece_lengths: Int64[np.ndarray, " pieces"]
    first: Int64[np.ndarray, " rows+1"]
    """The first piece of each row of several."""


@final
class BestFit(Packing):
    """Every token is a target exactly once an epoch; rows end with padding where nothing fits.

    The id before a row's first target is the one before it in the text: in the middle of a document its own, at the
    beginning the end token of another. Each epoch puts other documents together, in as many rows.
    """

    def __init__(
        self,
        split: Split,
        context: int,
        seed: int,
        *,
        documents: Int64[np.ndarray, " documents"] | None = None,
        name: str = "",
        window: int = WINDOW,
    ) -> None:
        self._bounds, self._tokens, self._context = split.bounds, len(split.ids), context
        self._documents, self._seed, self._name = documents, seed, name
        count = len(split.bounds) - 1 if documents is None else len(documents)
        self._windows = max(1, -(-count // window))
        self._sizes = np.array([self._size(number) for number in range(self._windows)], dtype=np.int64)
        self.rows = int(self._sizes.sum())
        self._packed = lru_cache(maxsize=2)(self._pack)

    def places(self, numbers: Int64[np.ndarray, " rows"]) -> Int64[np.ndarray, "rows context+1"]:
        """Return the places of the ids of rows in the split, -1 where a row is padded."""
        found = np.full((len(numbers), self._context + 1), PADDING, dtype=np.int64)
        for epoch in np.unique(numbers // self.rows).tolist():
            order = self._shuffled(self._windows, "windows", epoch)
            ends = np.cumsum(self._sizes[order])
            mine = np.flatnonzero(numbers // self.rows == epoch)
            inside = numbers[mine] % self.rows
            turn = np.searchsorted(ends, inside, side="right")
            for number in np.unique(turn).tolist():
                window, chosen = int(order[number]), mine[turn == number]
                rows = numbers[chosen] % self.rows - (ends[number] - self._sizes[window])
                found[chosen] = self._fill(self._packed(epoch, window), rows)
        return found

    def _key(self, *names: str | int) -> np.uint64:
        return np.uint64(seed_for(self._seed, "batches", "best fit", self._name, *names))

    def _shuffled(self, count: int, *names: str | int) -> Int64[np.ndarray, " count"]:
        return np.argsort(mixed(np.arange(count, dtype=np.uint64) ^ self._key(*names)))

    def _chosen(self, window: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where the documents of a window begin, and their tokens."""
        part = slice(window, None, self._windows)
        if self._documents is None:
            starts, ends = self._bounds[:-1][part], self._bounds[1:][part]
        else:
            some = self._documents[part]
            starts, ends = self._bounds[some], self._bounds[some + 1]
        starts = np.asarray(starts, dtype=np.int64)
        return starts, np.asarray(ends, dtype=np.int64) - starts

    def _size(self, window: int) -> int:
        lengths = self._chosen(window)[1]
        counts = np.bincount(lengths % self._context, minlength=self._context)
        return int((lengths // self._context).sum()) + fit(counts, self._context)[1]

    def _pack(self, epoch: int, window: int) -> _Rows:
        starts, lengths = self._chosen(window)
        whole, rests = np.divmod(lengths, self._context)
        bins, count = fit(np.bincount(rests, minlength=self._context), self._context)
        chance = mixed(starts.astype(np.uint64) ^ self._key("documents", epoch, window))
        order = np.lexsort((chance, -rests))[: len(bins)]  # documents without a rest come last
        # A piece that goes on with a long document stands first, after the token before it; the others in any order.
        within = np.lexsort((mixed(chance[order]), whole[order] == 0, bins))
        pieces = order[within]
        first = np.concatenate([[0], np.cumsum(np.bincount(bins, minlength=count))])
        long = np.concatenate([[0], np.cumsum(whole)])
        order = self._shuffled(int(self._sizes[window]), "rows", epoch, window)
        return _Rows(order, long, starts, (starts + whole * self._context)[pieces], rests[pieces], first)

    def _fill(self, packed: _Rows, numbers: Int64[np.ndarray, " rows"]) -> Int64[np.ndarray, "rows context+1"]:
        rows = packed.order[numbers]
        found = np.full((len(rows), self._context + 1), PADDING, dtype=np.int64)
        along = np.arange(self._context + 1)
        number = int(packed.long[-1])
        long = rows < number
        document = np.searchsorted(packed.long, rows[long], side="right") - 1
        start = packed.starts[document] + (rows[long] - packed.long[document]) * self._context
        found[long] = (start[:, None] - 1 + along) % self._tokens
        for row in np.flatnonzero(~long).tolist():
            at = int(rows[row]) - number
            pieces = slice(packed.first[at], packed.first[at + 1])
            starts, lengths = packed.piece_starts[pieces], packed.piece_lengths[pieces]
            ends = np.cumsum(lengths)
            found[row, 0] = (starts[0] - 1) % self._tokens
            found[row, 1 : ends[-1] + 1] = np.repeat(starts - ends + lengths, lengths) + along[: ends[-1]]
        return found
