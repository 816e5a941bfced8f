"""Training batches as a pure function of (seed, step, journal): no loader state, nothing to resume."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np

from pilotlight.errors import DataError
from pilotlight.tokens.best_fit import BestFit
from pilotlight.tokens.journal import Entry, Skip
from pilotlight.tokens.order import Mix, Turns
from pilotlight.tokens.packing import PADDING, Concatenated, Packing, PackingName
from pilotlight.tokens.resampled import resampled
from pilotlight.tokens.rows import Rows
from pilotlight.tokens.tokens import Split

if TYPE_CHECKING:
    from jaxtyping import Bool, Float32, Int32, Int64

__all__ = ["Batches", "Bounds", "Skip"]


class Bounds(NamedTuple):
    """Where the documents of a batch begin, as kernels for attention over sequences of unequal length take it."""

    starts: Int32[np.ndarray, " sequences+1"]
    """Cumulative lengths of the sequences of the input (``cu_seqlens``), rows one after another; from 0 to its size."""
    longest: int
    """Length of the longest sequence."""


class _Drawn(NamedTuple):
    places: Int64[np.ndarray, "rows context+1"]
    groups: Int64[np.ndarray, " rows"]


@final
class Batches:
    """The batches of a training: rows of ``context`` predictions, every row once an epoch.

    Rows are numbered through: row r of step s is row number s * rows + r of the stream, whatever epoch that falls in.
    With fewer rows at the beginning (``counts``) it is the number of rows of all batches before it, + r.
    With a ``mix``, each row is of one group of documents, every group has epochs of its own, and shares decide
    whose turn it is.

    Args:
        split: the packed text.
        rows: rows of a batch.
        context: predictions of a row.
        seed: of the order.
        journal: what changed the stream.
        packing: ``concat`` cuts the concatenation into windows, ``best_fit`` cuts as few documents as can be.
        mix: groups of documents and their shares; None: all are one group.
        counts: rows of the batch at each place of the stream; None: always ``rows``.

    Raises:
        DataError: a group has less text than one row takes.
    """

    def __init__(
        self,
        split: Split,
        rows: int,
        context: int,
        seed: int,
        journal: Sequence[Entry] = (),
        *,
        packing: PackingName = "concat",
        mix: Mix | None = None,
        counts: Rows | None = None,
    ) -> None:
        self.rows = rows
        self.context = context
        self.journal = tuple(journal)
        self.split = split
        self.mix = mix
        self.counts = counts or Rows(((0, rows),))
        if len(split.ids) < 1:
            raise DataError(f"The {split.name} text is empty. Give more text, or loosen the steps of the recipe.")
        self._kind = partial({"concat": Concatenated, "best_fit": BestFit}[packing], split, context, seed)
        self._packings: list[Packing] = []
        if mix is None:
            self._packings.append(self._kind())
        else:
            for name, documents in zip(mix.names, mix.documents, strict=True):
                self._packings.append(self._kind(documents=documents, name=name))
        self.windows = sum(packing.rows for packing in self._packings)
        """Rows in an epoch."""
        self._ids = np.asarray(split.ids)
        self._turns = Turns(mix, self.counts, self.journal) if mix is not None else None
        self._at = lru_cache(maxsize=2)(self._draw_rows)

    def with_journal(self, journal: Sequence[Entry]) -> Batches:
        """Return the same batches with a longer journal; what was worked out before is kept."""
        found = copy.copy(self)
        found.journal = tuple(journal)
        if self.mix is not None:
            found._turns = Turns(self.mix, self.counts, found.journal, self._turns)
        found._at = lru_cache(maxsize=2)(found._draw_rows)
        return found

    def with_sample(self, seed: int) -> Batches:
        """Return batches of the same documents drawn again with replacement, within each group of a mix."""
        found = copy.copy(self)
        if self.mix is None:
            found._packings = [self._kind(documents=resampled(np.arange(len(self.split.bounds) - 1), seed))]
        else:
            found._packings = [
                self._kind(documents=resampled(documents, seed, name), name=name)
                for name, documents in zip(self.mix.names, self.mix.documents, strict=True)
            ]
        found.windows = sum(packing.rows for packing in found._packings)
        found._at = lru_cache(maxsize=2)(found._draw_rows)
        return found

    def draw(self, step: int) -> int:
        """Return the place in the unskipped stream that step ``step`` reads: ``step`` itself without a journal."""
        for skip in reversed(self.journal):
            if isinstance(skip, Skip) and step >= skip.first:
                step += skip.last - skip.first + 1
        return step

    def epochs(self, step: int) -> float:
        """Return how often the text has been gone through when step ``step`` begins; skipped batches count."""
        return self.counts.before(self.draw(step)) / self.windows

    def epochs_by_group(self, step: int) -> dict[str, float]:
        """Return how often the text of each group of the mix has been gone through when step ``step`` begins."""
        if self.mix is None or self._turns is None:
            return {}
        given = self._turns.given(self.draw(step))
        return {
            name: count / packing.rows
            for name, count, packing in zip(self.mix.names, given, self._packings, strict=True)
        }

    def shares(self, step: int) -> dict[str, float]:
        """Return the share of the rows that each group of the mix gets at step ``step``."""
        if self.mix is None or self._turns is None:
            return {}
        return dict(zip(self.mix.names, self._turns.shares(self.draw(step)), strict=True))

    def at(self, step: int) -> Int64[np.ndarray, "rows context+1"]:
        """Return the ids of one step: the first ``context`` are input, the last ``context`` their targets.

        Padding has the end token.
        """
        # Padding is place -1: the last id, which is an end token.
        return self._ids.take(self._at(step).places).astype(np.int64)

    def documents_at(self, step: int) -> Int64[np.ndarray, "rows context+1"]:
        """Return the index of the document that each id of ``at(step)`` belongs to, end tokens to the one they end.

        -1 stands for padding.
        """
        places = self._at(step).places
        found = np.searchsorted(self.split.bounds, places, side="right").astype(np.int64) - 1
        return np.where(places == PADDING, PADDING, found) if (places == PADDING).any() else found

    def groups_at(self, step: int) -> Int64[np.ndarray, " rows"]:
        """Return the group of the mix that each row of a step is of; 0 without a mix."""
        return self._at(step).groups

    def positions_at(self, step: int) -> Int64[np.ndarray, "rows context+1"]:
        """Return how far each id stands from the first one of its document in the row; padding counts from 0 too."""
        begins = self._begins(step)
        along = np.broadcast_to(np.arange(self.context + 1), begins.shape)
        return along - np.maximum.accumulate(np.where(begins, along, 0), axis=1)

    def bounds_at(self, step: int) -> Bounds:
        """Return where the documents of the input ``at(step)[:, :-1]`` begin, rows one after another.

        A row never goes on in the next one; padding at the end of a row is a sequence of its own.
        """
        begins = self._begins(step)[:, :-1].ravel()
        starts = np.append(np.flatnonzero(begins), begins.size)
        return Bounds(starts.astype(np.int32), int(np.diff(starts).max()))

    def _begins(self, step: int) -> Bool[np.ndarray, "rows context+1"]:
        places, documents = self._at(step).places, self.documents_at(step)
        found = np.ones(places.shape, dtype=bool)
        apart = (documents[:, 1:] != documents[:, :-1]) | (places[:, 1:] != places[:, :-1] + 1)
        found[:, 1:] = apart & ((documents[:, 1:] != PADDING) | (documents[:, :-1] != PADDING))
        return found

    def targets_at(self, step: int) -> Int64[np.ndarray, "rows context"]:
        """Return the ids that are predicted: ``at(step)`` from the second id of each row on."""
        return self.at(step)[:, 1:]

    def weights_at(self, step: int, *, first_tokens: bool = True) -> Float32[np.ndarray, "rows context"]:
        """Return 1 for each target that counts in the loss and 0 for padding.

        Without ``first_tokens`` the first token of each document counts neither: it is predicted from the end of another
        document, or from nothing where attention keeps documents apart.
        """
        places = self._at(step).places[:, 1:]
        found = places != PADDING
        if not first_tokens:
            begins = self.split.bounds[:-1]
            nearest = np.minimum(np.searchsorted(begins, places), len(begins) - 1)
            found &= np.asarray(begins)[nearest] != places
        return found.astype(np.float32)

    def counted(self, step: int) -> int:
        """Return how many targets of a step count: all but padding."""
        return int(np.count_nonzero(self._at(step).places[:, 1:] != PADDING))

    def _draw_rows(self, step: int) -> _Drawn:
        place = self.draw(step)
        if self._turns is None:
            numbers = np.arange(self.counts.before(place), self.counts.before(place + 1), dtype=np.int64)
            return _Drawn(self._packings[0].places(numbers), np.zeros(len(numbers), dtype=np.int64))
        groups, numbers = self._turns.at(place)
        places = np.empty((len(groups), self.context + 1), dtype=np.int64)
        for group in np.unique(groups).tolist():
            mine = groups == group
            places[mine] = self._packings[group].places(numbers[mine])
        return _Drawn(places, groups)
