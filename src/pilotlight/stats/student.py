"""Student's t: quantiles, p-values, and variances that know how well they are known.

scipy is imported inside the functions because records above this floor load without it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import final


@final
@dataclass(frozen=True, slots=True)
class Spread:
    """A variance and the degrees of freedom behind it; no degrees mean that nothing is known."""

    variance: float
    degrees: float


UNKNOWN = Spread(0.0, 0.0)


@lru_cache(maxsize=4096)
def critical(level: float, degrees: float) -> float:
    """Return how many standard errors reach from the value to either bound of a two-sided interval."""
    from scipy.special import stdtrit  # pyright: ignore[reportMissingTypeStubs]

    return float(stdtrit(degrees, (1.0 + level) / 2.0))


def tail(ratio: float, degrees: float) -> float:
    """Return the chance that Student's t lies above ``ratio``."""
    from scipy.special import stdtr  # pyright: ignore[reportMissingTypeStubs]

    return float(stdtr(degrees, -ratio))


def two_sided(value: float, error: float, degrees: float) -> float:
    """Return the two-sided p-value of ``value`` against zero; without any error, 1 for zero and 0 otherwise."""
    if error == 0.0:
        return 1.0 if value == 0.0 else 0.0
    return min(1.0, 2.0 * tail(abs(value) / error, degrees))


def mean(values: Sequence[float]) -> float:
    """Return the mean, exactly rounded, so that the order of the values does not matter."""
    return math.fsum(values) / len(values)


def products(left: Sequence[float], right: Sequence[float]) -> float:
    """Return the sum of products of deviations from the means."""
    centre_left, centre_right = mean(left), mean(right)
    return math.fsum((a - centre_left) * (b - centre_right) for a, b in zip(left, right, strict=True))


def pool(spreads: Sequence[Spread]) -> Spread:
    """Return the variance over all spreads, each weighted with its degrees of freedom."""
    degrees = math.fsum(spread.degrees for spread in spreads)
    if degrees == 0.0:
        return UNKNOWN
    return Spread(math.fsum(spread.variance * spread.degrees for spread in spreads) / degrees, degrees)


def welch(left: Spread, left_runs: int, right: Spread, right_runs: int) -> Spread:
    """Return the variance of a difference of two means with Satterthwaite's degrees of freedom (Welch 1947)."""
    first, second = left.variance / left_runs, right.variance / right_runs
    total = first + second
    if total == 0.0:
        return Spread(0.0, left.degrees + right.degrees)
    doubt = sum(part**2 / spread.degrees for part, spread in ((first, left), (second, right)) if part > 0.0)
    return Spread(total, total**2 / doubt)


def bartlett(spreads: Sequence[Spread]) -> float:
    """Return the p-value that all variances are equal (Bartlett 1937); 1 where there is nothing to test."""
    from scipy.special import chdtrc  # pyright: ignore[reportMissingTypeStubs]

    known = [spread for spread in spreads if spread.degrees > 0.0]
    if len(known) < 2 or any(spread.variance <= 0.0 for spread in known):
        return 1.0
    whole = pool(known)
    statistic = whole.degrees * math.log(whole.variance) - math.fsum(s.degrees * math.log(s.variance) for s in known)
    inverse = math.fsum(1.0 / s.degrees for s in known) - 1.0 / whole.degrees
    return float(chdtrc(len(known) - 1, statistic / (1.0 + inverse / (3.0 * (len(known) - 1)))))
