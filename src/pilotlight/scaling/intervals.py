"""How predictions with 95 % intervals did: the figures that every back-test prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

PENALTY = 40.0
"""Two over one minus the level of 95 %: what a miss costs per unit (Gneiting and Raftery 2007, equation 43)."""


class Judged(NamedTuple):
    """Figures over a set of targets, relative to the truth; named as the fields of ``TaskScore``."""

    error: float
    bias: float
    coverage: float
    half_width: float
    interval_score: float


def judged(values: Sequence[float], lows: Sequence[float], highs: Sequence[float], truths: Sequence[float]) -> Judged:
    """Return how ``values`` with 95 % intervals from ``lows`` to ``highs`` did against ``truths``."""
    error = bias = inside = width = score = 0.0
    for value, low, high, truth in zip(values, lows, highs, truths, strict=True):
        size = max(abs(truth), 1e-12)
        error += abs(value - truth) / size
        bias += (value - truth) / size
        inside += low <= truth <= high
        width += (high - low) / size
        score += (high - low + PENALTY * (max(low - truth, 0.0) + max(truth - high, 0.0))) / size
    count = len(truths)
    return Judged(error / count, bias / count, inside / count, width / count / 2, score / count)
