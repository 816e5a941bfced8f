"""How many rows each batch has: always the same, or fewer at the beginning of a training (batch-size warm-up)."""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Literal, final

from pydantic import Field

from pilotlight.spec import Spec
from pilotlight.units import Share

MOST_SIZES = 32
"""Each size is a shape to compile and to time."""


@final
class Rows:
    """Rows of the batch at each place of the stream, a step before anything was skipped; a pure function of the place.

    Args:
        stages: (first place, rows) of each stage, rising from place 0.
    """

    def __init__(self, stages: tuple[tuple[int, int], ...]) -> None:
        self._firsts = [first for first, _ in stages]
        self._rows = [rows for _, rows in stages]
        self._before = [0]
        for number in range(1, len(stages)):
            length = self._firsts[number] - self._firsts[number - 1]
            self._before.append(self._before[-1] + length * self._rows[number - 1])

    def at(self, place: int) -> int:
        """Return the rows of the batch at a place."""
        return self._rows[bisect_right(self._firsts, place) - 1]

    def before(self, place: int) -> int:
        """Return the rows of all batches before a place."""
        stage = bisect_right(self._firsts, place) - 1
        return self._before[stage] + (place - self._firsts[stage]) * self._rows[stage]

    def sizes(self) -> tuple[int, ...]:
        """Return the different numbers of rows, in the order they come."""
        return tuple(dict.fromkeys(self._rows))


@final
class RowsWarmup(Spec):
    """Batches of few rows at first, when gradients are large against their noise, in stages up to the full number.

    (McCandlish et al. 2018, arXiv 1812.06162; Merrill et al. 2025, arXiv 2505.23971.) The learning rate is the schedule's,
    whatever the batch.
    """

    start: int = Field(ge=1)
    """Rows of the first batches."""
    until: Share = Field(default=0.1, gt=0)
    """Share of the steps after which batches have all their rows."""
    of_steps: int | None = Field(default=None, ge=1)
    """The number of steps that ``until`` is a share of; null: the training's own. Give it to a run and to what branches off
    it, so that both begin alike."""
    shape: Literal["doubling", "linear"] = "doubling"
    """How they grow: 1, 2, 4, 8 times ``start`` or 1, 2, 3, 4 times, each for as many steps."""

    def sizes(self, rows: int) -> tuple[int, ...]:
        """Return the sizes below the full number of rows, in order."""
        if self.shape == "linear":
            return tuple(range(self.start, rows, self.start))
        return tuple(self.start << double for double in range(rows.bit_length()) if self.start << double < rows)

    def rows(self, rows: int, steps: int) -> Rows:
        """Return the rows of each batch of a training of ``steps`` steps whose full batches have ``rows``."""
        sizes = self.sizes(rows)
        end = math.ceil(self.until * (self.of_steps or steps))
        stages = [(number * end // len(sizes), size) for number, size in enumerate(sizes)]
        return Rows((*stages, (end if sizes else 0, rows)))
