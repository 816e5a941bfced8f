"""From documents to rows of ids: what a row is, and what a way of packing wastes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, final

import numpy as np

from pilotlight.errors import DataError
from pilotlight.randomness import stream
from pilotlight.spec import plain
from pilotlight.tokens.order import Permutation
from pilotlight.tokens.tokens import Split
from pilotlight.tokens.waste import waste

if TYPE_CHECKING:
    from jaxtyping import Int64

PackingName = Literal["concat", "best_fit"]
PADDING = -1
"""Stands for the place of an id that pads a row."""
CONTEXTS = (256, 1024, 4096)
_MEASURED = 100_000
_STRETCHES = 20


class Packing(ABC):
    """The rows of some documents: ``rows`` of them an epoch, numbered through all epochs."""

    rows: int
    """Rows of an epoch."""

    @abstractmethod
    def places(self, numbers: Int64[np.ndarray, " rows"]) -> Int64[np.ndarray, "rows context+1"]:
        """Return the places of the ids of rows in the split, -1 where a row is padded."""


class _Cut(NamedTuple):
    offset: int
    order: Permutation


@final
class Concatenated(Packing):
    """Windows of the documents' concatenation, every window once an epoch.

    The tokens are seen as a ring. In each epoch the ring is cut at a random place into ``rows`` windows of
    ``context`` predictions (neighbours share one id; the ``tokens % context`` left over differ by epoch), and a
    keyed permutation orders them, so memory does not grow with the text. With ``documents``, the ring holds these alone,
    in this order; neighbours on disk are kept as one stretch.
    """

    def __init__(
        self,
        split: Split,
        context: int,
        seed: int,
        *,
        documents: Int64[np.ndarray, " documents"] | None = None,
        name: str = "",
    ) -> None:
        self._context, self._seed, self._name = context, seed, name
        self._ring = _Ring(split, documents)
        count = self._ring.tokens
        if count < context + 1:
            of = f" of {name}" if name else ""
            raise DataError(
                f"The {split.name} text{of} has {count} tokens; one window takes {context + 1} (context {context} and its "
                "last target). Give more text, or lower the context."
            )
        self.rows = count // context
        self._cuts = lru_cache(maxsize=4)(self._cut)

    def _cut(self, epoch: int) -> _Cut:
        random = stream(self._seed, "batches", *([self._name] if self._name else []), epoch)
        offset = int(random.integers(self._ring.tokens))
        return _Cut(offset, Permutation(self.rows, random))

    def places(self, numbers: Int64[np.ndarray, " rows"]) -> Int64[np.ndarray, "rows context+1"]:
        """Return the places of the ids of rows in the split."""
        epochs = numbers // self.rows
        starts = np.empty(len(numbers), dtype=np.int64)
        for epoch in np.unique(epochs):
            cut, chosen = self._cuts(int(epoch)), epochs == epoch
            starts[chosen] = cut.offset + self._context * cut.order.at(numbers[chosen] % self.rows)
        return self._ring.places((starts[:, None] + np.arange(self._context + 1)) % self._ring.tokens)


@final
class _Ring:
    """Some documents one after another: where each stretch of neighbours begins on disk and in the ring."""

    def __init__(self, split: Split, documents: Int64[np.ndarray, " documents"] | None) -> None:
        self._all = documents is None
        self.tokens = len(split.ids)
        if documents is None:
            return
        starts, ends = np.asarray(split.bounds[documents]), np.asarray(split.bounds[documents + 1])
        begins = np.concatenate([[True], starts[1:] != ends[:-1]]) if len(documents) else np.zeros(0, dtype=bool)
        first = np.concatenate([[0], np.cumsum(ends - starts)])
        self._inside, self._shift = first[:-1][begins], (starts - first[:-1])[begins]
        self.tokens = int(first[-1])

    def places(self, inside: np.ndarray) -> np.ndarray:
        if self._all:
            return inside
        return inside + self._shift[np.searchsorted(self._inside, inside, side="right") - 1]


def waste_of(bounds: Int64[np.ndarray, " documents+1"]) -> dict[str, Any]:
    """Return what packing documents of these bounds wastes, by context; of many documents stretches are looked at."""
    lengths = np.diff(bounds)
    if len(lengths) > _MEASURED:
        size = _MEASURED // _STRETCHES
        firsts = np.linspace(0, len(lengths) - size, _STRETCHES).astype(np.int64)
        lengths = np.concatenate([lengths[first : first + size] for first in firsts])
    found: list[int] = lengths.tolist()
    return {str(context): plain(waste(found, context)) for context in CONTEXTS}
