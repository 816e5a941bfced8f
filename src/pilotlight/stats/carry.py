"""An effect carried to the size of the full run, and the risk that it turns round on the way."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

from pilotlight.spec import Record
from pilotlight.stats.comparison import Comparison
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.student import critical

if TYPE_CHECKING:
    from numpy.typing import NDArray

DRIFT = 0.2
"""How far an effect drifts per e-fold of compute, as a share of itself, before any trend is seen: one standard deviation.

On six published tables of variants trained at several sizes the median drift was 0.04 and 0.05 (mixtures of data), 0.18
(corpora), 0.35 and 0.47 (shapes and hyper-parameters) and 0.76 (learning rates) of the median effect: no two sources
agree, and leaving one out moves their middle between 0.18 and 0.35. Effects below half of the worth count as half of it.
"""
DOUBT = 1.0
"""Standard deviation of the log of that share from campaign to campaign. Over the six tables it is 1.2, of which a part is
that each has few variants."""
BEND = 0.1
"""How far an effect leaves its straight line per square root of an e-fold beyond the rungs, as a share of itself."""
DRIFTS = 13
"""Shares over which is averaged."""
_HALVINGS = 60


@final
class Carried(Record):
    """What is believed of an effect at a size that was not run."""

    effect: Estimate
    """Relative, like that of the comparison."""

    log_effect: float
    error: float
    """That with which Student's t at ``degrees`` gives the interval of ``effect``."""
    degrees: float
    reversal: float
    """Probability that the sign at that size is the other than at the size where the effect was measured."""

    folds: float
    """Log of how many times larger that size is than the one the effect was measured at."""


def carry(found: Comparison, size: float, worth: float, level: float, among: Sequence[Comparison] = ()) -> Carried:
    """Return the effect at ``size``, measured as the sizes of the comparison were.

    The effects at all scales are taken to lie on a straight line in the log of size, whose slope is drawn towards none
    (normal prior): with one scale, or much noise, the effect stays and only its doubt grows with the distance; a trend that
    is surely there is followed. How wide that prior is differs between campaigns (``DRIFT``, ``DOUBT``) and is averaged
    over, weighted by the trends of all variants ``among`` which the comparison stands (itself alone by default). What the
    runs leave open reaches as Student's t does, what the prior says as a normal distribution. The effect is shrunken as
    the campaign says (``Comparison.shrunken``).
    """
    import numpy as np

    head, drawn = math.log1p(found.effect.value), _drawn(found)
    folds = math.log(size / found.sizes[found.scale]) if found.sizes else 0.0
    size_of_effect = _size(found, worth)
    shares, weights = _shares(among or (found,), worth, level)
    lines = np.array([_line(found, folds, share * size_of_effect) for share in shares])
    bend = (BEND * size_of_effect) ** 2 * max(0.0, folds)
    centres = lines[:, 0] * (drawn / head if head else 1.0)
    widths = np.sqrt(_wider(level, found.degrees) * lines[:, 1] + lines[:, 2] + bend)
    value = float(weights @ centres)
    bounds = [_quantile(share, centres, widths, weights) for share in ((1.0 - level) / 2.0, (1.0 + level) / 2.0)]
    bounds = max(-300.0, min(bounds[0], value)), min(300.0, max(bounds[1], value))
    sign = 1.0 if head >= 0.0 else -1.0
    low, middle, high = (math.expm1(number) for number in (bounds[0], value, bounds[1]))
    estimate = Estimate(
        value=middle, low=low, high=high, level=level, unit="relative", n=found.seeds,
        method=f"effects at {len(found.by_scale)} sizes on a line in the log of size, its slope drawn towards none",
    )  # fmt: skip
    return Carried(
        effect=estimate, log_effect=value, error=(bounds[1] - bounds[0]) / 2.0 / critical(level, found.degrees),
        degrees=found.degrees, reversal=_below(0.0, sign * centres, widths, weights), folds=folds,
    )  # fmt: skip


def _drawn(found: Comparison) -> float:
    return math.log1p(found.effect.value if found.shrunken is None else found.shrunken.value)


def _size(found: Comparison, worth: float) -> float:
    """Return the root of the mean square of what is believed of the effect, at least half of the worth."""
    doubt = found.error
    if found.shrunken is not None and found.shrunken.low > -1.0:  # at -1 the interval has no lower end
        reach = math.log1p(found.shrunken.high) - math.log1p(found.shrunken.low)
        doubt = reach / 2.0 / critical(found.shrunken.level, math.inf)
    return max(math.hypot(_drawn(found), doubt), math.log1p(worth / 2.0))


def _wider(level: float, degrees: float) -> float:
    """Return the factor that makes a normal distribution of that variance reach as far as Student's t at ``degrees``."""
    return (critical(level, degrees) / critical(level, math.inf)) ** 2


def _shares(among: Sequence[Comparison], worth: float, level: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return drifts per e-fold as shares of an effect, and how likely each is after the trends of a campaign were seen."""
    import numpy as np

    places = np.linspace(-2.4, 2.4, DRIFTS)
    shares = DRIFT * np.exp(DOUBT * places)
    chance = -0.5 * places**2
    for item in among:
        if item.trend_error > 0.0:
            noise = _wider(level, item.degrees) * item.trend_error**2
            variance = noise + (shares * _size(item, worth)) ** 2
            chance -= 0.5 * (np.log(variance) + item.trend**2 / variance)
    weights = np.exp(chance - chance.max())
    return shares, weights / weights.sum()


def _line(found: Comparison, folds: float, usual: float) -> tuple[float, float, float]:
    """Return the value of the line ``folds`` beyond the head, its variance by the noise of the runs, and by the prior.

    Sizes weigh by their runs, as if equally noisy: weights by their estimated noise follow its chance.
    """
    import numpy as np

    scales = [scale for scale in found.by_scale if found.errors.get(scale, 0.0) > 0.0 and scale in found.sizes]
    if found.scale not in scales:
        return math.log1p(found.effect.value), found.error**2, (folds * usual) ** 2
    places = np.array([math.log(found.sizes[scale] / found.sizes[found.scale]) for scale in scales])
    values = np.array([math.log1p(found.by_scale[scale].value) for scale in scales])
    errors = np.array([found.errors[scale] for scale in scales])
    runs = np.array([float(found.by_scale[scale].n) for scale in scales])
    weights = runs / float((runs * errors**2).mean())
    design = np.stack([np.ones_like(places), places], axis=1)
    precision = design.T @ (weights[:, None] * design) + np.diag([0.0, usual**-2.0])
    covariance: NDArray[Any] = np.linalg.inv(precision)
    pull = (np.array([1.0, folds]) @ covariance) @ design.T * weights
    beyond = folds - float(pull @ places)
    return float(pull @ values), float(pull**2 @ errors**2), (beyond * usual) ** 2


def _below(place: float, centres: NDArray[Any], widths: NDArray[Any], weights: NDArray[Any]) -> float:
    """Return the chance below ``place`` of an average of normal distributions."""
    import numpy as np
    from scipy.special import ndtr  # pyright: ignore[reportMissingTypeStubs]

    return min(1.0, max(0.0, float(weights @ ndtr((place - centres) / np.maximum(widths, 1e-300)))))


def _quantile(share: float, centres: NDArray[Any], widths: NDArray[Any], weights: NDArray[Any]) -> float:
    low, high = float((centres - 40.0 * widths).min()), float((centres + 40.0 * widths).max())
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        low, high = (middle, high) if _below(middle, centres, widths, weights) < share else (low, middle)
    return (low + high) / 2.0
