"""What is believed of the effects of a campaign: each drawn towards none, as far as all of them say it is chance."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from pilotlight.stats.student import critical

if TYPE_CHECKING:
    from numpy.typing import NDArray

SPREADS = 16
"""Values of the spread of true effects over which is averaged."""
PLACES = 401
"""Values of an effect at which its distribution is worked out: twenty to a standard deviation."""


@final
@dataclass(frozen=True, slots=True)
class Measured:
    """A logarithmic effect with its standard error and the degrees of freedom behind it."""

    value: float
    error: float
    degrees: float


@final
@dataclass(frozen=True, slots=True)
class Believed:
    """Mean and interval of what is believed of an effect after all variants were seen."""

    value: float
    low: float
    high: float


def believed(effects: Sequence[Measured], scale: float, level: float) -> list[Believed]:
    """Return what is believed of each effect, in the given order.

    True effects are taken to be normal about none, with a spread that is learned from all of them (normal-normal
    empirical Bayes, Efron & Morris 1973). A handful of variants cannot say one spread, so it is averaged over, under a
    half-Cauchy prior of ``scale`` (Gelman 2006). An effect is drawn in by its error as estimated; that this is itself an
    estimate widens the interval as Student's t does, and no further: taken as heavy tails, it would draw in most the
    effects that are surely large. An effect without error stays as it is.

    Args:
        effects: one per variant.
        scale: spread of effects that is usual, as a logarithm.
        level: of the intervals.
    """
    import numpy as np

    unsure = [effect for effect in effects if effect.error > 0.0 and effect.degrees > 0.0]
    if not unsure:
        return [Believed(effect.value, effect.value, effect.value) for effect in effects]
    spreads = scale * np.tan(math.pi / 2.0 * (np.arange(SPREADS) + 0.5) / SPREADS)
    values, errors = (np.array([[getattr(one, name)] for one in unsure]) for name in ("value", "error"))
    # The error, widened so that the normal interval is as long as that by Student's t.
    wide = errors * np.array([[critical(level, one.degrees)] for one in unsure]) / critical(level, math.inf)
    variance = wide**2 + spreads**2
    chance = (-0.5 * (np.log(variance) + values**2 / variance)).sum(axis=0)
    weights = np.exp(chance - chance.max())
    kept = spreads**2 / (spreads**2 + errors**2)
    weights /= weights.sum()
    bounds = _quantiles(kept * values, wide * np.sqrt(kept), weights, level)
    means = (kept * values) @ weights
    found = {
        effect: Believed(float(value), min(float(low), float(value)), max(float(high), float(value)))
        for effect, value, (low, high) in zip(unsure, means, bounds.T, strict=True)
    }
    return [found.get(effect) or Believed(effect.value, effect.value, effect.value) for effect in effects]


def _quantiles(centres: NDArray[Any], widths: NDArray[Any], weights: NDArray[Any], level: float) -> NDArray[Any]:
    """Return the equal-tailed bounds [2 effects] of averages of normal distributions [effects spreads], off a grid."""
    import numpy as np
    from scipy.special import ndtr  # pyright: ignore[reportMissingTypeStubs]

    reach = 10.0 * widths.max(axis=1) + np.abs(centres).max(axis=1)
    places = reach[:, None] * np.linspace(-1.0, 1.0, PLACES)
    passed = ndtr((places[:, :, None] - centres[:, None, :]) / widths[:, None, :]) @ weights
    shares = [(1.0 - level) / 2.0, (1.0 + level) / 2.0]
    bounds: list[NDArray[Any]] = [np.interp(shares, line, place) for line, place in zip(passed, places, strict=True)]
    return np.stack(bounds, axis=1)
