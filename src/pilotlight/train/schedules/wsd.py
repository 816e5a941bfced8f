"""Warmup, a flat stretch, decay."""

from __future__ import annotations

import math
from typing import Literal, final

from pydantic import Field

from pilotlight.train.schedules import Schedule
from pilotlight.units import Share


@final
class WSD(Schedule):
    """Warmup-stable-decay (Hu et al. 2024, arXiv 2404.06395); ``sqrt`` after Haegele et al. (arXiv 2405.18392).

    Unlike cosine, the flat stretch does not depend on the length of the run.
    """

    warmup: Share = Field(default=0.05, le=0.5)
    """Share of the steps over which the rate rises from near 0."""
    decay: Share = Field(default=0.2, le=1.0)
    """Share of the steps over which the rate falls at the end."""
    shape: Literal["linear", "sqrt"] = "linear"
    """How it falls: in a line to ``final``, or as 1 - sqrt(x)."""
    final: Share = 0.0
    """Share of the peak at the very end."""

    def factor(self, step: int, steps: int) -> float:
        """Return the rise, 1, or the fall, whichever is the smaller."""
        warmup = max(1, math.ceil(self.warmup * steps))
        decay = max(1, math.ceil(self.decay * steps)) if self.decay > 0 else 0
        rise = min(1.0, (step + 1) / warmup)
        left = min(1.0, max(0.0, (steps - step) / decay)) if decay else 1.0
        fall = left if self.shape == "linear" else 1.0 - math.sqrt(1.0 - left)
        return min(rise, self.final + (1.0 - self.final) * fall)
