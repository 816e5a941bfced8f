"""Warmup, then one over the root of the step."""

from __future__ import annotations

import math
from typing import final

from pydantic import Field

from pilotlight.train.schedules import Schedule
from pilotlight.units import Share


@final
class InverseRoot(Schedule):
    """Linear warmup and decay by 1 / sqrt(step) (Vaswani et al. 2017, arXiv 1706.03762, equation 3).

    The peak is at the end of the warmup; by a run's end the rate is sqrt(warmup) of it.
    """

    warmup: Share = Field(default=0.05, le=0.5)
    """Share of the steps over which the rate rises from near 0."""

    def factor(self, step: int, steps: int) -> float:
        """Return the rise during warmup, then the root of warmup steps over steps."""
        warmup = max(1, math.ceil(self.warmup * steps))
        return min((step + 1) / warmup, math.sqrt(warmup / (step + 1)))
