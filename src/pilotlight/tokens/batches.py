"""Training batches as a pure function of (seed, step, journal): no loader state, nothing to resume."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field, model_validator

from pilotlight.errors import DataError
from pilotlight.randomness import stream
from pilotlight.spec import Record
from pilotlight.tokens.tokens import Split

if TYPE_CHECKING:
    from jaxtyping import Int64, UInt64

ROUNDS = 6
SMALLEST_HALF = 4


class Skip(Record):
    """Steps ``first`` to ``last``, as they were numbered when the entry was written, are taken out of the stream.

    What was step ``last + 1`` becomes step ``first``, and so on; a later entry speaks of this new numbering.
    """

    first: int = Field(ge=0)
    last: int = Field(ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Skip:
        if self.last < self.first:
            raise ValueError(f"a skip ends at step {self.last}, before it begins at {self.first}")
        return self


class Batches:
    """The batches of a training: windows of the documents' concatenation, every window once per epoch.

    The tokens are seen as a ring. In each epoch the ring is cut at a random place into ``windows`` windows of
    ``context`` predictions (neighbours share one id; the ``tokens % context`` left over differ by epoch), and a
    keyed permutation (a Feistel network that walks until it is inside the range: Black and Rogaway 2002) orders
    them, so memory does not grow with the text. Rows are numbered through: row r of step s is window number
    s * rows + r of the stream, whatever epoch that falls in.
    """

    def __init__(self, split: Split, rows: int, context: int, seed: int, journal: Sequence[Skip] = ()) -> None:
        count = len(split.ids)
        if count < context + 1:
            raise DataError(
                f"The {split.name} text has {count} tokens; one window takes {context + 1} (context {context} and its "
                "last target). Give more text, or lower the context."
            )
        self.rows = rows
        self.context = context
        self.journal = tuple(journal)
        self.windows = count // context
        """Windows in an epoch."""
        self._ids = np.asarray(split.ids)
        self._bounds = split.bounds
        self._order = lru_cache(maxsize=4)(lambda epoch: _Order(self.windows, count, seed, epoch))

    def draw(self, step: int) -> int:
        """Return the place in the unskipped stream that step ``step`` reads: ``step`` itself without a journal."""
        for skip in reversed(self.journal):
            if step >= skip.first:
                step += skip.last - skip.first + 1
        return step

    def epochs(self, step: int) -> float:
        """Return how often the text has been gone through when step ``step`` begins; skipped batches count."""
        return self.draw(step) * self.rows / self.windows

    def at(self, step: int) -> Int64[np.ndarray, "rows context+1"]:
        """Return the ids of one step: the first ``context`` are input, the last ``context`` their targets."""
        return self._ids.take(self._positions(step)).astype(np.int64)

    def documents_at(self, step: int) -> Int64[np.ndarray, "rows context+1"]:
        """Return the index of the document that each id of ``at(step)`` belongs to, end tokens to the one they end."""
        return np.searchsorted(self._bounds, self._positions(step), side="right").astype(np.int64) - 1

    def _positions(self, step: int) -> Int64[np.ndarray, "rows context+1"]:
        first = self.draw(step) * self.rows
        numbers = np.arange(first, first + self.rows, dtype=np.int64)
        epochs = numbers // self.windows
        starts = np.empty(self.rows, dtype=np.int64)
        for epoch in np.unique(epochs):
            order, chosen = self._order(int(epoch)), epochs == epoch
            starts[chosen] = order.offset + self.context * order.at(numbers[chosen] % self.windows)
        return (starts[:, None] + np.arange(self.context + 1)) % len(self._ids)


class _Order:
    """A permutation of ``range(size)`` and an offset below ``ring``, both fixed by (seed, epoch)."""

    def __init__(self, size: int, ring: int, seed: int, epoch: int) -> None:
        random = stream(seed, "batches", epoch)
        self.offset = int(random.integers(ring))
        self._keys = random.integers(1 << 63, size=ROUNDS, dtype=np.uint64)
        self._size = size
        self._half = np.uint64(max(SMALLEST_HALF, -(-(size - 1).bit_length() // 2)))
        self._mask = np.uint64((1 << int(self._half)) - 1)

    def at(self, index: Int64[np.ndarray, " rows"]) -> Int64[np.ndarray, " rows"]:
        """Return where the permutation sends each index."""
        found = self._once(index.astype(np.uint64))
        while (outside := found >= self._size).any():
            found[outside] = self._once(found[outside])
        return found.astype(np.int64)

    def _once(self, value: UInt64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
        left, right = value >> self._half, value & self._mask
        for key in self._keys:
            left, right = right, left ^ (_mixed(right ^ key) & self._mask)
        return (left << self._half) | right


def _mixed(value: UInt64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
    # The finaliser of SplitMix64 (Steele, Lea and Flood 2014): every bit in decides about half of the bits out.
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))
