"""Plain baselines of the back-test: what most code would say of the same tasks."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict

import numpy as np
from scipy.optimize import minimize
from scipy.special import logsumexp

from pilotlight.scaling.backtests.loss import is_sized, points
from pilotlight.scaling.intervals import judged
from pilotlight.scaling.tasks import Task


def baseline_fit(logs: np.ndarray, loss: np.ndarray, start: np.ndarray | None = None) -> np.ndarray:
    """Return e, and a coefficient and an exponent for each column of ``logs`` [runs, columns]: Huber's loss of 0.001."""

    def objective(theta: np.ndarray) -> float:
        gap = np.abs(baseline_at(theta, logs) - loss) / 1e-3
        return float(np.where(gap < 1, gap**2 / 2, gap - 0.5).sum())

    starts = [start] if start is not None else []
    if start is None:
        for exponent in (0.2, 0.4, 0.7):
            for floor in (0.5, 0.85):
                rest = math.log(max(float(np.exp(loss.mean()) - floor * np.exp(loss.min())), 1e-3))
                part = [value for column in logs.T for value in (rest - 0.7 + exponent * column.mean(), exponent)]
                starts.append(np.array([loss.min() + math.log(floor), *part]))
    best = min((minimize(objective, one, method="L-BFGS-B") for one in starts), key=lambda found: found.fun)
    return best.x


def baseline_at(theta: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Return the log loss of the fitted form at ``logs`` [points, columns]."""
    terms = [np.full(len(logs), theta[0])]
    terms += [theta[1 + 2 * i] - theta[2 + 2 * i] * logs[:, i] for i in range(logs.shape[1])]
    return logsumexp(terms, axis=0)


def baseline(task: Task, count: int) -> dict[str, float] | None:
    """Return how the plain baseline does on a task, with ``count`` draws; None where it has too few cells."""
    sized = is_sized(task.rows)
    pilots, targets = (points(rows, task.metric, sized=sized) for rows in (task.pilots, task.targets))
    here, there = (np.log([(p.parameters, p.tokens) for p in group]) for group in (pilots, targets))
    use = [axis for axis in (0, 1) if np.ptp(here[:, axis]) > 0.05]
    if len(np.unique(here[:, use].round(6), axis=0)) < 2 * len(use) + 1:
        return None
    here, there = here[:, use], there[:, use]
    loss = np.log([point.loss for point in pilots])
    whole = baseline_fit(here, loss)
    draws = np.random.default_rng(0)
    drawn = []
    for _ in range(count):
        pick = draws.integers(0, len(loss), len(loss))
        drawn.append(baseline_at(baseline_fit(here[pick], loss[pick], whole), there))
    value = np.exp(baseline_at(whole, there))
    low, high = np.exp(np.percentile(drawn, [2.5, 97.5], axis=0))
    bounds = (column.tolist() for column in (value, np.minimum(low, value), np.maximum(high, value)))
    return judged(*bounds, [point.loss for point in targets])._asdict()


def single_cell(task: Task) -> tuple[float, float, int] | None:
    """Return the pairs right by the cheapest and by the dearest pilot cell, and how many pairs there are."""
    sign = 1 if task.better == "lower" else -1
    best: dict[str, dict[str, float]] = defaultdict(dict)
    cost: dict[str, list[float]] = defaultdict(list)
    truth: dict[str, float] = {}
    for row in task.rows:
        value = row.number(task.metric)
        if value is None:
            continue
        there = truth if row.role == "target" else best[row.cell]
        there[row.variant] = min(there.get(row.variant, math.inf), sign * value)
        if row.role == "pilot":
            cost[row.cell].append(row.number("flops") or 0.0)
    cells = sorted((cell for cell in best if len(best[cell]) > 1), key=lambda cell: statistics.median(cost[cell]))
    if not cells:
        return None
    shares = [right(best[cell], truth) for cell in (cells[0], cells[-1])]
    return shares[0][0], shares[1][0], shares[1][1]


def right(values: dict[str, float], truth: dict[str, float]) -> tuple[float, int]:
    """Return the share of pairs of variants that ``values`` order as ``truth`` does, and how many pairs there are."""
    names = [name for name in values if name in truth]
    here, there = (np.array([table[name] for name in names]) for table in (values, truth))
    first, second = np.triu_indices(len(names), 1)
    gap, real = np.sign(here[first] - here[second]), np.sign(there[first] - there[second])
    keep = real != 0
    return float(np.where(gap == 0, 0.5, gap == real)[keep].mean()), int(keep.sum())
