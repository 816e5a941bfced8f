"""An effect carried to the size of the full run, and the risk that it turns round on the way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, final

from pilotlight.spec import Record
from pilotlight.stats.comparison import Comparison
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.student import critical, tail

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRIFT = 0.2
"""How far an effect drifts per e-fold of compute, as a share of itself, before any trend is seen: one standard deviation.

On six published tables of variants trained at several sizes the median drift was 0.04 and 0.05 (mixtures of data), 0.18
(corpora), 0.35 and 0.47 (shapes and hyper-parameters) and 0.76 (learning rates) of the median effect: no two sources
agree, and leaving one out moves their middle between 0.18 and 0.35. Effects below half of the worth count as half of it.
"""
BEND = 0.1
"""How far an effect leaves its straight line per square root of an e-fold beyond the rungs, as a share of itself."""


@final
class Carried(Record):
    """What is believed of an effect at a size that was not run."""

    effect: Estimate
    """Relative, like that of the comparison; its logarithm has Student's t-distribution."""

    log_effect: float
    error: float
    degrees: float
    reversal: float
    """Probability that the sign at that size is the other than at the size where the effect was measured."""

    folds: float
    """Log of how many times larger that size is than the one the effect was measured at."""


def carry(found: Comparison, size: float, worth: float, level: float) -> Carried:
    """Return the effect at ``size``, measured as the sizes of the comparison were.

    The effects at all scales are taken to lie on a straight line in the log of size, whose slope is drawn towards none
    (normal prior, ``DRIFT``): with one scale, or much noise, the effect stays and only its doubt grows with the distance;
    a trend that is surely there is followed. The effect is shrunken as the campaign says (``Comparison.shrunken``).
    """
    head = math.log1p(found.effect.value)
    drawn = head if found.shrunken is None else math.log1p(found.shrunken.value)
    folds = math.log(size / found.sizes[found.scale]) if found.sizes else 0.0
    size_of_effect = max(abs(drawn), math.log1p(worth / 2.0))
    centre, variance = _line(found, folds, DRIFT * size_of_effect)
    variance += (BEND * size_of_effect) ** 2 * max(0.0, folds)
    value = centre * (drawn / head) if head else centre
    error = math.sqrt(variance)
    half = min(300.0, critical(level, found.degrees) * error)
    low, middle, high = (math.expm1(value + shift) for shift in (-half, 0.0, half))
    sign = 1.0 if head >= 0.0 else -1.0
    estimate = Estimate(
        value=middle, low=low, high=high, level=level, unit="relative", n=found.seeds,
        method=f"effects at {len(found.by_scale)} sizes on a line in the log of size, its slope drawn towards none",
    )  # fmt: skip
    return Carried(
        effect=estimate, log_effect=value, error=error, degrees=found.degrees, folds=folds,
        reversal=tail(sign * value / error, found.degrees) if error > 0.0 else float(sign * value < 0.0),
    )  # fmt: skip


def _line(found: Comparison, folds: float, usual: float) -> tuple[float, float]:
    """Return the value of the line ``folds`` beyond the head, and its variance."""
    import numpy as np

    scales = [scale for scale in found.by_scale if found.errors.get(scale, 0.0) > 0.0 and scale in found.sizes]
    if found.scale not in scales:
        return math.log1p(found.effect.value), found.error**2 + (folds * usual) ** 2
    places = np.array([math.log(found.sizes[scale] / found.sizes[found.scale]) for scale in scales])
    values = np.array([math.log1p(found.by_scale[scale].value) for scale in scales])
    weights = np.array([found.errors[scale] ** -2.0 for scale in scales])
    design = np.stack([np.ones_like(places), places], axis=1)
    precision = design.T @ (weights[:, None] * design) + np.diag([0.0, usual**-2.0])
    covariance: NDArray[Any] = np.linalg.inv(precision)
    line = covariance @ design.T @ (weights * values)
    ahead = np.array([1.0, folds])
    return float(ahead @ line), float(ahead @ covariance @ ahead)
