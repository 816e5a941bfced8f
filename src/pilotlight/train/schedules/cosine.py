"""Warmup, then half a cosine."""

from __future__ import annotations

import math
from typing import final

from pydantic import Field

from pilotlight.train.schedules import Schedule
from pilotlight.units import Share


@final
class Cosine(Schedule):
    """Linear warmup and cosine decay (Loshchilov and Hutter 2017, arXiv 1608.03983) to a tenth, as in Chinchilla."""

    warmup: Share = Field(default=0.05, le=0.5)
    """Share of the steps over which the rate rises from near 0."""
    final: Share = 0.1
    """Share of the peak at the very end."""

    def factor(self, step: int, steps: int) -> float:
        """Return the rise during warmup, then the cosine between 1 and ``final``."""
        warmup = max(1, math.ceil(self.warmup * steps))
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return self.final + (1.0 - self.final) * 0.5 * (1.0 + math.cos(math.pi * done))
