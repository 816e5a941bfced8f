"""Differences of means whose unit of replication is the training run."""

from __future__ import annotations

from pilotlight.errors import EvidenceError
from pilotlight.stats.column import Column, align
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.student import Spread, critical, mean, products, welch


def average(column: Column, level: float = 0.95) -> Estimate:
    """Return the mean of a column with Student's interval; ``n`` counts its values.

    Raises:
        EvidenceError: fewer than two values.
    """
    _need_two(len(column), "a mean")
    count = len(column)
    variance = products(column.values, column.values) / (count - 1)
    return _interval(mean(column.values), Spread(variance / count, count - 1), level, column.unit, count, "t")


def paired(new: Column, old: Column, level: float = 0.95) -> Estimate:
    """Return the mean of ``new - old`` over shared keys with Student's interval; ``n`` counts pairs.

    Raises:
        EvidenceError: the columns share fewer than two keys, or differ in unit.
    """
    unit = new.unit
    new, old = align(new, old)
    _need_two(len(new), "a paired difference")
    gaps = [a - b for a, b in zip(new.values, old.values, strict=True)]
    variance = products(gaps, gaps) / (len(gaps) - 1)
    return _interval(mean(gaps), Spread(variance / len(gaps), len(gaps) - 1), level, unit, len(gaps), "paired t")


def unpaired(new: Column, old: Column, level: float = 0.95) -> Estimate:
    """Return the difference of means with Welch's interval; ``n`` counts the runs of the smaller arm.

    Raises:
        EvidenceError: a column has fewer than two values, or they differ in unit.
    """
    if new.unit != old.unit:
        raise EvidenceError(f"values in {new.unit} cannot be compared with values in {old.unit}.")
    count = min(len(new), len(old))
    _need_two(count, "an unpaired difference")
    left, right = (Spread(products(c.values, c.values) / (len(c) - 1), len(c) - 1) for c in (new, old))
    spread = welch(left, len(new), right, len(old))
    return _interval(mean(new.values) - mean(old.values), spread, level, new.unit, count, "Welch t")


def _need_two(count: int, what: str) -> None:
    if count < 2:
        raise EvidenceError(f"{what} needs at least 2 runs, got {count}; train more seeds.")


def _interval(value: float, spread: Spread, level: float, unit: str, count: int, method: str) -> Estimate:
    half = critical(level, spread.degrees) * spread.variance**0.5
    return Estimate(value=value, low=value - half, high=value + half, level=level, unit=unit, n=count, method=method)
