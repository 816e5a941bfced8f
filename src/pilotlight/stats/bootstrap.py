"""Means over items and runs at once: for accuracy, bits per byte, F1 and other scores of a model on a set of items."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pilotlight.errors import EvidenceError
from pilotlight.randomness import stream
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.student import critical

if TYPE_CHECKING:
    from numpy.typing import NDArray

Statistic = Callable[["NDArray[Any]"], float]

_GROUPS = 200
_RESAMPLES = 2000
_FEW = 10
_MANY = 1000
_ONE_RUN = "one run: noise between seeds is not included"
_EVEN = 1.6
"""Power of the runs' share of the variance with which their t quantile counts; see ``_half_width``."""


def ratio_of_sums(scores: NDArray[Any]) -> float:
    """Return the sum of the first field over the sum of the second, for scores [items 2] such as (bits, bytes)."""
    return float(scores[:, 0].sum() / scores[:, 1].sum())


def two_level(scores: NDArray[Any], *, unit: str, level: float = 0.95, statistic: Statistic | None = None) -> Estimate:
    """Return the mean over runs of a statistic over items, for new items *and* new seeds.

    ``scores`` is [runs items] or, with a ``statistic``, [runs items fields]; every run is scored on the same items. The
    statistic takes the scores of one run, [items] or [items fields]; without one it is the mean. ``n`` counts runs, or
    items where there is one run only: then the interval speaks of that one model, and a caution says so.

    A statistic is made linear by the jackknife over at most 200 groups of items (Efron & Stein 1981). Several runs: the
    variance is that between runs plus what items have in common, and the squared t quantiles of both are averaged by
    their share in it (Banerjee 1960). One run: Student's t over items; for a plain mean of 10 to 1,000 items bootstrap-t,
    which is better where items are skewed (Efron 1981). Scores of 0 and 1: the same uncertainty, bent by Wilson's formula
    so that it stays within 0 and 1 (Korn & Graubard 1998); the share itself tells the variance of its items, so they
    take the normal quantile.

    Raises:
        EvidenceError: fewer than two items, or a score or statistic that is not finite.
    """
    import numpy as np

    scores = np.asarray(scores, dtype=float)
    if scores.ndim not in (2, 3) or scores.shape[0] < 1 or scores.shape[1] < 2:
        raise EvidenceError(f"scores have the shape {scores.shape}, expected runs x items with at least two items.")
    if not np.isfinite(scores).all():
        raise EvidenceError("a score is not a finite number; leave out items that could not be scored.")
    value, pseudo = _linear(scores, statistic)
    runs, items = pseudo.shape
    cautions = (() if runs > 1 else (_ONE_RUN,)) + ((f"only {items} items",) if items < _FEW else ())
    binary = statistic is None and bool(np.isin(scores, (0.0, 1.0)).all())
    quantile = critical(level, math.inf if binary else items - 1)
    half = _half_width(pseudo, level, quantile)
    low, high, method = value - half, value + half, "t over runs and items" if runs > 1 else "t over items"
    if binary:
        half *= math.sqrt(1.0 - 1.0 / items)  # of a share the variance is known, not estimated with items - 1
        low, high, method = *_wilson(value, half, _independent(scores), quantile), f"Wilson, {method}"
    elif statistic is None and runs == 1 and _FEW <= items <= _MANY and half > 0.0:
        low, high, method = *_bootstrap_t(pseudo[0], value, level), "bootstrap-t over items"
    return Estimate(
        value=value, low=min(low, value), high=max(high, value), level=level, unit=unit,
        n=runs if runs > 1 else scores.shape[1], method=method, cautions=cautions,
    )  # fmt: skip


def _linear(scores: NDArray[Any], statistic: Statistic | None) -> tuple[float, NDArray[Any]]:
    """Return the mean over runs of the statistic, and its jackknife pseudo-values [runs groups]."""
    import numpy as np

    if statistic is None:
        if scores.ndim != 2:
            raise EvidenceError(f"scores have the shape {scores.shape}; scores with fields need a statistic.")
        return float(scores.mean()), scores
    whole = np.array([statistic(run) for run in scores])
    groups = min(scores.shape[1], _GROUPS)
    member = np.array([item % groups for item in range(scores.shape[1])])
    without = np.array([[statistic(run[member != group]) for group in range(groups)] for run in scores])
    if not (np.isfinite(whole).all() and np.isfinite(without).all()):
        raise EvidenceError("the statistic is not finite on some of the items; score more items.")
    return float(whole.mean()), groups * whole[:, None] - (groups - 1) * without


def _half_width(values: NDArray[Any], level: float, quantile: float) -> float:
    """Return the half-width for the mean of values [runs items]; ``quantile`` is that of the items' part.

    The mean square of the runs holds the noise of single answers too, and alone knows what runs add, so it enters whole:
    without what runs add beyond that noise taken out and cut off at zero, intervals of two runs covered 87 to 98 %. With
    the squared quantiles averaged by the plain shares an interval covers at least its level at any ratio of the variances
    (Banerjee 1960), up to 98.7 % with two runs; with the share of the runs to the power ``_EVEN`` the coverage,
    integrated numerically over all ratios, is even: 93.8 to 97.3 % with two runs, 94.7 to 96.2 % with three.
    """
    runs, items = values.shape
    by_run, by_item, centre = values.mean(1, keepdims=True), values.mean(0, keepdims=True), values.mean()
    of_items = runs * float(((by_item - centre) ** 2).sum()) / (items - 1)
    if runs == 1:
        return quantile * math.sqrt(of_items / items)
    of_runs = items * float(((by_run - centre) ** 2).sum()) / (runs - 1)
    rest = float(((values - by_run - by_item + centre) ** 2).sum()) / ((runs - 1) * (items - 1))
    total = of_runs + max(0.0, of_items - rest)
    if total <= 1e-12 * (of_items + rest):  # runs that agree but for rounding: their answers still differ
        total = max(of_items, rest)
    share = (of_runs / total) ** _EVEN if total > 0.0 else 0.0
    squared = quantile**2 + (critical(level, runs - 1) ** 2 - quantile**2) * share
    return math.sqrt(squared * total / (runs * items))


def _independent(right: NDArray[Any]) -> float:
    """Return how many independent answers the answers [runs items] are worth at most.

    Runs that answer the same items alike add nothing: counted as items of their own, five runs that are right on all of
    20 items would leave out a true share of 0.95. So the correlation of two runs over items counts (Kish 1965, design
    effect), drawn towards 1 as if one more item had been answered alike by all, which decides where none tells.
    """
    runs, items = right.shape
    if runs == 1:
        return float(items)
    by_item = right.mean(0)
    differ = int(((by_item > 0.0) & (by_item < 1.0)).sum())
    between = runs * float(by_item.var(ddof=1))
    within = float((runs * by_item * (1.0 - by_item)).sum()) / (items * (runs - 1))
    both = between + (runs - 1) * within
    alike = max(0.0, between - within) / both if both > 0.0 else 1.0
    alike = (differ * alike + 1.0) / (differ + 1.0)
    return runs * items / (1.0 + (runs - 1) * alike)


def _wilson(share: float, half: float, most: float, quantile: float) -> tuple[float, float]:
    """Return Wilson's interval for as many independent answers as would have given the half-width, at most ``most``."""
    count = most
    if half > 0.0:
        count = min(count, share * (1.0 - share) * (quantile / half) ** 2)
    shrink = 1.0 + quantile**2 / count
    centre = (share + quantile**2 / (2.0 * count)) / shrink
    reach = quantile / shrink * math.sqrt(share * (1.0 - share) / count + quantile**2 / (4.0 * count**2))
    return max(0.0, centre - reach), min(1.0, centre + reach)


def _bootstrap_t(values: NDArray[Any], value: float, level: float) -> tuple[float, float]:
    import numpy as np

    count = len(values)
    centred = values - values.mean()
    draws = stream(0, "bootstrap", count).integers(0, count, (_RESAMPLES, count))
    drawn = centred[draws]
    errors = drawn.std(1, ddof=1) / math.sqrt(count)
    # A resample of one repeated item has no spread and says nothing about the ratio.
    ratios = (drawn.mean(1) / np.where(errors > 0.0, errors, np.inf))[errors > 0.0]
    error = float(values.std(ddof=1)) / math.sqrt(count)
    upper, lower = np.quantile(ratios, [(1.0 + level) / 2.0, (1.0 - level) / 2.0])
    return value - float(upper) * error, value - float(lower) * error
