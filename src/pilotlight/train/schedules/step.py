"""Warmup, then stairs."""

from __future__ import annotations

import math
from typing import Self, final

from pydantic import Field, model_validator

from pilotlight.train.schedules import Schedule
from pilotlight.units import Share


@final
class Step(Schedule):
    """Linear warmup and drops by a factor at given shares of the run; as in DeepSeek LLM (arXiv 2401.02954, 2.3)."""

    warmup: Share = Field(default=0.05, le=0.5)
    """Share of the steps over which the rate rises from near 0."""
    drops: tuple[Share, ...] = (0.8, 0.9)
    """Shares of the run at which the rate drops, rising."""
    by: float = Field(default=0.316, gt=0, le=1)
    """What is left of the rate after each drop; 0.316 twice is a tenth."""

    @model_validator(mode="after")
    def _drops_rise_after_the_warmup(self) -> Self:
        if list(self.drops) != sorted(set(self.drops)) or any(drop < self.warmup for drop in self.drops):
            raise ValueError(f"drops: {self.drops} should be rising shares of the run, none within the warmup "
                             f"({self.warmup:g}); for example (0.8, 0.9)")  # fmt: skip
        return self

    def factor(self, step: int, steps: int) -> float:
        """Return the rise during warmup, then ``by`` to the power of the drops so far."""
        rise = min(1.0, (step + 1) / max(1, math.ceil(self.warmup * steps)))
        return rise * self.by ** sum(step >= drop * steps for drop in self.drops)
