"""Warmup, then the same share lost at every step."""

from __future__ import annotations

import math
from typing import final

from pydantic import Field

from pilotlight.train.schedules import Schedule
from pilotlight.units import Share


@final
class Exponential(Schedule):
    """Linear warmup and exponential decay: a straight line in the logarithm of the rate (Li and Arora 2020).

    Source: *An Exponential Learning Rate Schedule for Deep Learning*, arXiv 1910.07454, which has the rate rise; a
    decay by a fixed factor per step is the older use.
    """

    warmup: Share = Field(default=0.05, le=0.5)
    """Share of the steps over which the rate rises from near 0."""
    final: Share = Field(default=0.01, gt=0)
    """Share of the peak at the very end; with the number of steps it decides the loss per step."""

    def factor(self, step: int, steps: int) -> float:
        """Return the rise during warmup, then ``final`` to the power of the share of the decay that is done."""
        warmup = max(1, math.ceil(self.warmup * steps))
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return self.final**done
