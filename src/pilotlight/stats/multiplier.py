"""How much dearer the baseline's run would have to be to reach a variant's loss: the compute multiplier, and its trend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

from pilotlight.stats.estimate import Estimate
from pilotlight.stats.student import Spread, critical, mean, products

MOST = 20.0
"""Logarithms of multipliers beyond this are cut: no law is known so far."""
DEGREES = 4.0
"""Degrees of freedom of the error of a fall: those that the error of the laws has on published run tables, where predictions
are calibrated. A few laws disagree about it; no count of runs says how surely."""
KNOWN = 1e6
"""Degrees of freedom of an error that is known, not estimated: Student's t is the normal distribution by then."""
_TENFOLD = math.log(10.0)


@final
@dataclass(frozen=True, slots=True)
class Fall:
    """By how much the log of the loss falls per e-fold of compute, near one size, with its standard error."""

    value: float
    error: float
    degrees: float = DEGREES


@final
@dataclass(frozen=True, slots=True)
class Gain:
    """A logarithmic effect on the loss (negative is better) with its standard error and degrees of freedom."""

    value: float
    error: float
    degrees: float
    seeds: int


@final
@dataclass(frozen=True, slots=True)
class Price:
    """What a run of the variant takes over what one of the baseline takes at that size: the logarithm, with its errors."""

    value: float = 0.0
    errors: tuple[Spread, ...] = ()
    """Variances that add up, each with its degrees of freedom; none where it was counted."""
    unit: str = "FLOPs"
    pairs: int = 1
    method: str = "counted"
    cautions: tuple[str, ...] = ()

    def times(self, value: float, error: float) -> Price:
        """Return the price times a further factor, whose logarithm is known to be ``value`` with standard error ``error``."""
        return replace(self, value=self.value + value, errors=(*self.errors, Spread(error**2, KNOWN)))

    def estimate(self, level: float) -> Estimate:
        """Return the ratio with its interval."""
        half = _half(self.errors, level)
        low, value, high = (_exponential(self.value + shift) for shift in (-half, 0.0, half))
        return Estimate(
            value=value, low=low, high=high, level=level, unit=f"x {self.unit}", n=self.pairs, method=self.method,
            cautions=self.cautions,
        )  # fmt: skip


COUNTED = Price()


@final
@dataclass(frozen=True, slots=True)
class Step:
    """What tells the multiplier at one size."""

    place: float
    """Logarithm of the FLOPs of the baseline's run."""
    gain: Gain
    fall: Fall
    price: Price


def measured(logs: Sequence[float], unit: str, method: str, *, single: str = "") -> Price:
    """Return the price that pairs of runs tell: the mean of the logarithms of their ratios, with Student's error.

    One pair has no error of its own, nor have pairs that are no readings of their own for the reason ``single``: a caution says
    so, and the interval of what is made of the price is then too short.
    """
    count = len(logs)
    if count == 1 or single:
        reason = single or "one pair of runs"
        return Price(mean(logs), unit=unit, pairs=count, method=method,
                     cautions=(f"{reason}: the price in {unit} has no interval of its own",))  # fmt: skip
    error = Spread(products(logs, logs) / (count - 1) / count, count - 1.0)
    return Price(mean(logs), (error,), unit, count, f"{method}, Student's t")


def multiplier(gain: Gain, fall: Fall, level: float, price: Price = COUNTED) -> Estimate | None:
    """Return how many times what the variant takes the baseline needs to reach the same loss; above 1 the variant saves.

    The baseline's loss falls by ``fall`` per e-fold of compute where the effect was measured, so that it makes up for an
    effect d with d / fall e-folds; what these cost is counted in runs of the variant at their ``price``. The interval is that
    of a ratio of two uncertain numbers (Fieller 1954): the error of the price, in units of the effect, joins that of the
    effect, and Student's t has the degrees of the errors of effect, law and price together (Satterthwaite 1946). It is never
    shorter than that of the price or of the effect alone, which more doubt about another could make it.

    Returns None where the law is not surely falling: then no compute makes up for anything.
    """
    if fall.value <= 0.0:
        return None
    reach = _critical(_in_folds(gain, fall, price), level)
    square = fall.value**2 - (reach * fall.error) ** 2
    if square <= 0.0:
        return None
    # u = log multiplier + log price is -gain / fall: all u for which gain + u x fall is not told apart from zero.
    apart = gain.error**2 + fall.value**2 * _sum(price.errors)
    half, rest = gain.value * fall.value, gain.value**2 - reach**2 * apart
    root = math.sqrt(max(0.0, half**2 - square * rest))
    middle = -gain.value / fall.value
    alone = max(_half(price.errors, level), critical(level, gain.degrees) * gain.error / fall.value)
    bounds = min((-half - root) / square, middle - alone), middle, max((-half + root) / square, middle + alone)
    low, value, high = (_exponential(bound - price.value) for bound in bounds)
    return Estimate(
        value=value, low=low, high=high, level=level, unit=f"x {price.unit}", n=gain.seeds,
        method=f"effect over the local fall of the baseline's law, Fieller; price in {price.unit} {price.method}",
        cautions=price.cautions,
    )  # fmt: skip


def _exponential(value: float) -> float:
    return math.exp(max(-MOST, min(MOST, value)))


def _in_folds(gain: Gain, fall: Fall, price: Price) -> tuple[Spread, ...]:
    """Return the variances of the log multiplier that effect, law and price make, each with its degrees."""
    at = gain.value / fall.value
    return (
        Spread((gain.error / fall.value) ** 2, gain.degrees), Spread((at * fall.error / fall.value) ** 2, fall.degrees),
        *price.errors,
    )  # fmt: skip


def _scaled(error: Spread, factor: float) -> Spread:
    return Spread(error.variance * factor**2, error.degrees)


def _sum(errors: Sequence[Spread]) -> float:
    return math.fsum(error.variance for error in errors)


def _critical(errors: Sequence[Spread], level: float) -> float:
    """Return how many standard errors reach to either bound, by the degrees of all errors together (Satterthwaite 1946)."""
    doubt = math.fsum(error.variance**2 / error.degrees for error in errors if error.variance)
    return critical(level, min(KNOWN, _sum(errors) ** 2 / doubt) if doubt else KNOWN)


def _half(errors: Sequence[Spread], level: float) -> float:
    """Return half of the interval that errors make together, never shorter than that of any one of them alone.

    More doubt must not shorten it, as it could where the largest error has one or two degrees.
    """
    alone = (critical(level, error.degrees) * math.sqrt(error.variance) for error in errors if error.variance)
    return max(_critical(errors, level) * math.sqrt(_sum(errors)), *alone, 0.0)


def trend(steps: Sequence[Step], level: float) -> Estimate | None:
    """Return the factor by which the multiplier changes per tenfold of compute; None where fewer than two sizes tell one.

    A straight line of the log multiplier in the log of FLOPs, each size weighing by its error, which joins those of effect,
    law and price. The errors of the falls count as independent: laws are wrong by another amount at every size, and where
    they are wrong alike the interval is too long. What is known of them, and of the noise of the effects, comes from the same
    runs at all sizes: their degrees are averaged, not added up.
    """
    is_told = all(step.fall.value > 0.0 and step.gain.error > 0.0 for step in steps)
    if not is_told or len({step.place for step in steps}) < 2:
        return None
    values = [-step.gain.value / step.fall.value - step.price.value for step in steps]
    errors = [_in_folds(step.gain, step.fall, step.price) for step in steps]
    weights = [1.0 / _sum(own) for own in errors]
    centre = math.fsum(w * step.place for w, step in zip(weights, steps, strict=True)) / math.fsum(weights)
    spread = math.fsum(w * (step.place - centre) ** 2 for w, step in zip(weights, steps, strict=True))
    shares = [w * (step.place - centre) / spread for w, step in zip(weights, steps, strict=True)]
    slope = math.fsum(share * value for share, value in zip(shares, values, strict=True))
    parts = [[_scaled(error, share) for error in own] for share, own in zip(shares, errors, strict=True)]
    joined = [_averaged([own[kind] for own in parts]) for kind in range(2)]
    joined += [error for own in parts for error in own[2:]]
    half = _half(joined, level)
    low, value, high = (_exponential(_TENFOLD * (slope + shift)) for shift in (-half, 0.0, half))
    return Estimate(
        value=value, low=low, high=high, level=level, unit="x per tenfold of FLOPs", n=len(steps),
        cautions=tuple(dict.fromkeys(text for step in steps for text in step.price.cautions)),
        method=f"weighted line of the log multiplier in the log of FLOPs over {len(steps)} sizes",
    )  # fmt: skip


def _averaged(errors: Sequence[Spread]) -> Spread:
    whole = _sum(errors)
    if not whole:
        return Spread(0.0, KNOWN)
    return Spread(whole, math.fsum(error.variance / whole * error.degrees for error in errors))
