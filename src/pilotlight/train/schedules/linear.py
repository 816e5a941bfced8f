"""Warmup, then a straight line down."""

from __future__ import annotations

import math
from typing import final

from pydantic import Field

from pilotlight.train.schedules import Schedule
from pilotlight.units import Share


@final
class Linear(Schedule):
    """Linear warmup and linear decay, by default to zero (Bergsma et al. 2025, arXiv 2502.15938)."""

    warmup: Share = Field(default=0.05, le=0.5)
    """Share of the steps over which the rate rises from near 0."""
    final: Share = 0.0
    """Share of the peak at the very end."""

    def factor(self, step: int, steps: int) -> float:
        """Return the rise during warmup, then the line from 1 to ``final``."""
        warmup = max(1, math.ceil(self.warmup * steps))
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return 1.0 - (1.0 - self.final) * done
