"""The noise at one rung, from that rung, the other rungs of the same arm, and the other arms.

Neither the rungs nor the arms are taken to be equally noisy. How fast the noise changes along the ladder is estimated
from all arms together, carried to the rung in question, and what is not known about it makes the other rungs worth
fewer degrees of freedom. Other arms only fill in what an arm's own runs leave open.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import final

from pilotlight.stats.student import UNKNOWN, Spread, pool

GROWTH = 1.2
"""Prior standard deviation of the change of the log of the variance per rung: noise that grows or falls by a factor of
1.8 from rung to rung is nothing unusual. Chosen on simulated ladders between 0.8 and 1.4 (docs/statistics.md)."""
FILL = 3.5
"""Degrees of freedom up to which other arms are drawn in. Above it an arm whose pairing is unlike the others' is covered
too seldom; below it equal arms are covered too often."""


@final
@dataclass(frozen=True, slots=True)
class Growth:
    """Change of the log of the variance per rung, and the variance of what is not known about it."""

    slope: float = 0.0
    doubt: float = GROWTH**2


STEADY = Growth()


def doubt(places: Sequence[int], degrees: Sequence[float]) -> float:
    """Return the variance of the growth per rung that is left after spreads with these degrees of freedom were seen."""
    weights = [1.0 / _log_moments(known / 2.0)[1] for known in degrees]
    return 1.0 / (GROWTH**-2 + _centred(weights, places)[1])


def growth(spreads: Sequence[Spread]) -> Growth:
    """Return how the noise changes along the ladder, from its spread at each rung, low to high.

    The logarithm of a variance with n degrees of freedom has the mean digamma(n / 2) - log(n / 2) and the variance
    trigamma(n / 2) (Bartlett & Kendall 1946); the slope over the rungs is shrunk towards none.
    """
    known = [(place, item) for place, item in enumerate(spreads) if item.degrees > 0.0 and item.variance > 0.0]
    if len(known) < 2:
        return STEADY
    places = [place for place, _ in known]
    moments = [_log_moments(item.degrees / 2.0) for _, item in known]
    logs = [math.log(item.variance) - mean for (_, item), (mean, _) in zip(known, moments, strict=True)]
    weights = [1.0 / variance for _, variance in moments]
    centre, reach = _centred(weights, places)
    left = 1.0 / (GROWTH**-2 + reach)
    tilt = math.fsum(w * (x - centre) * y for w, x, y in zip(weights, places, logs, strict=True))
    return Growth(tilt * left, left)


@lru_cache(maxsize=1024)
def _log_moments(half: float) -> tuple[float, float]:
    """Return mean and variance of the log of a variance of 1 that is known with twice ``half`` degrees of freedom."""
    from scipy.special import digamma, polygamma  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    mean, variance = float(digamma(half)), float(polygamma(1, half))  # pyright: ignore[reportUnknownArgumentType]
    return mean - math.log(half), variance


def _centred(weights: Sequence[float], places: Sequence[int]) -> tuple[float, float]:
    """Return the weighted mean place and the weighted sum of squares about it."""
    centre = math.fsum(w * x for w, x in zip(weights, places, strict=True)) / math.fsum(weights)
    return centre, math.fsum(w * (x - centre) ** 2 for w, x in zip(weights, places, strict=True))


def carried(cells: Mapping[int, Spread], place: int, change: Growth) -> Spread:
    """Return the variance at the rung ``place``, strengthened by the other rungs of the same arm.

    The logarithm of a variance that is carried over d rungs is off by what is not known about the growth, d times; a
    variance as uncertain as 2 / n for n degrees of freedom plus that counts with the degrees that match it.
    """
    found: list[Spread] = []
    for other, spread in cells.items():
        if spread.degrees <= 0.0:
            continue
        away = other - place
        worth = 1.0 / (1.0 / spread.degrees + away**2 * change.doubt / 2.0)
        found.append(Spread(spread.variance * math.exp(-away * change.slope), worth))
    return pool(found)


def filled(own: Spread, others: Sequence[Spread], overlap: float) -> Spread:
    """Return ``own``, with what is missing to ``FILL`` degrees of freedom taken from ``others``.

    ``overlap`` is the squared correlation between the errors of any two of these variances: arms that share a baseline
    or seeds repeat each other.
    """
    known = [spread for spread in others if spread.degrees > 0.0]
    if not known:
        return own
    count = len(known) + (own.degrees > 0.0)
    together = (own.degrees + math.fsum(spread.degrees for spread in known)) / (1.0 + (count - 1) * overlap)
    extra = max(0.0, min(together, FILL) - own.degrees)
    degrees = own.degrees + extra
    if degrees == 0.0:
        return UNKNOWN
    return Spread((own.variance * own.degrees + pool(known).variance * extra) / degrees, degrees)
