"""How much dearer the baseline's run would have to be to reach a variant's loss: the compute multiplier."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from pilotlight.stats.estimate import Estimate
from pilotlight.stats.student import critical

MOST = 20.0
"""Logarithms of multipliers beyond this are cut: no law is known so far."""


@final
@dataclass(frozen=True, slots=True)
class Fall:
    """By how much the log of the loss falls per e-fold of compute, near one size, with its standard error."""

    value: float
    error: float


@final
@dataclass(frozen=True, slots=True)
class Gain:
    """A logarithmic effect on the loss (negative is better) with its standard error and degrees of freedom."""

    value: float
    error: float
    degrees: float
    seeds: int


def multiplier(gain: Gain, fall: Fall, level: float, *, price: float = 1.0, unit: str = "x FLOPs") -> Estimate | None:
    """Return how many times the variant's compute the baseline needs to reach the same loss; above 1 the variant saves.

    The baseline's loss falls by ``fall`` per e-fold of compute where the effect was measured, so that it makes up for
    an effect d with d / fall e-folds. The interval is that of a ratio of two uncertain numbers (Fieller 1954), at the
    effect's degrees of freedom.

    Args:
        gain: the effect.
        fall: the local slope of the baseline's law.
        level: of the interval.
        price: what one run of the variant takes, over what one of the baseline takes at that size: its FLOPs, its
            seconds or its money, according to ``unit``.
        unit: what ``price`` counts.

    Returns None where the law is not surely falling: then no compute makes up for anything.
    """
    reach = critical(level, gain.degrees)
    square = fall.value**2 - (reach * fall.error) ** 2
    if fall.value <= 0.0 or square <= 0.0:
        return None
    # log multiplier r = -gain / fall: all r for which gain + r x fall is not told apart from zero.
    half = gain.value * fall.value
    rest = gain.value**2 - (reach * gain.error) ** 2
    root = math.sqrt(max(0.0, half**2 - square * rest))
    bounds = (-half - root) / square, -gain.value / fall.value, (-half + root) / square
    low, value, high = (math.exp(max(-MOST, min(MOST, bound))) / price for bound in bounds)
    return Estimate(
        value=value, low=min(low, value), high=max(high, value), level=level, unit=unit, n=gain.seeds,
        method="effect over the local fall of the baseline's law, Fieller",
    )  # fmt: skip
