"""Warmup, then the peak for ever."""

from __future__ import annotations

import math
from typing import final

from pydantic import Field

from pilotlight.train.schedules import Schedule
from pilotlight.units import Share


@final
class Constant(Schedule):
    """Linear warmup and the peak to the end: the trunk that cool-downs branch off (Haegele et al., arXiv 2405.18392).

    Without a decay the loss at the end lies above what the weights can do; ``wsd`` is this schedule with its decay.
    """

    warmup: Share = Field(default=0.05, le=0.5)
    """Share of the steps over which the rate rises from near 0."""

    def factor(self, step: int, steps: int) -> float:
        """Return the rise during warmup, then 1."""
        return min(1.0, (step + 1) / max(1, math.ceil(self.warmup * steps)))
