"""How the loss answers a hyper-parameter: its optimum, what it costs to miss it on either side, and which value to take.

In the logarithm of the hyper-parameter the loss is a valley. Its walls need not be equally steep: a learning rate twice
too high costs more than one twice too low. So the value that promises the least regret lies below the bottom of the
fitted valley, the further the less surely the bottom is known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, final

from pilotlight.errors import EvidenceError
from pilotlight.spec import Record
from pilotlight.stats.estimate import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ASYMMETRY = 2.7
"""Regret of twice too high over that of twice too low, before anything is seen: 0.019 against 0.007 nats in the median of
17 published cells of size and tokens (StepLaw's 1,730 dense runs)."""
ASYMMETRY_WIDTH = 1.0
"""Standard deviation of its logarithm: two of them reach from 0.4 to 20, because another published table (the 80 cells of
``misfitting``, few steps each) has the steeper wall on the low side; see ``stats.asymmetry``."""
DEPTH, DEPTH_WIDTH = 0.004, 1.5
"""Relative regret of twice too low before anything is seen, 0.007 of about 2.5 nats and a little more for small models,
and the standard deviation of its logarithm: it says next to nothing."""
MISFIT = 0.25
"""The quadratic is wrong by this share of how far a point lies above the best one, so that far points say little."""
SPREAD = 0.003
"""Relative run-to-run spread that counts as one repeat before any repeat is seen; the same is assumed of a law's runs."""
STEP = 0.05  # octaves between the nodes of the optimum
BEYOND = 1.0  # octaves outside of what was tried in which the optimum may lie


@final
@dataclass(frozen=True, slots=True)
class Tried:
    """One training: the value of the hyper-parameter, the seed, and what came out; None where it diverged."""

    at: float
    seed: int
    value: float | None


class Response(Record):
    """The fitted answer of a metric to one hyper-parameter. Regrets are relative: 0.01 is one percent worse."""

    optimum: Estimate
    """Value at the bottom of the valley."""
    asymmetry: Estimate
    """Regret of twice too high over that of twice too low."""
    regrets: dict[str, Estimate]
    """Of missing the optimum by a factor: ``x0.25``, ``x0.5``, ``x2`` and ``x4``."""
    best: float
    """The tried value with the best mean: the argmin."""
    best_regret: float
    """What it is expected to lose against the optimum."""
    recommended: float
    """Value with the least expected regret within what was tried."""
    recommended_regret: Estimate
    """What it is expected to lose against the optimum."""
    spread: float
    """Relative standard deviation of one run that the fit went by."""
    runs: int
    cautions: tuple[str, ...] = ()


@final
@dataclass(frozen=True)
class _Cells:
    """What was tried, seeds averaged: octaves, mean of logs where worse is more, runs, and what the seeds say of noise."""

    x: Floats
    y: Floats
    count: Floats
    variance: float
    degrees: float
    diverged: tuple[float, ...]
    """Octaves at which no run ended."""


@final
@dataclass(frozen=True)
class _Posterior:
    """Weights of the nodes: of the noise x optimum x asymmetry x depth."""

    weights: Floats
    optimum: Floats
    asymmetry: Floats
    depth: Floats
    spread: Floats

    def marginal(self, axis: int) -> Floats:
        """Return the weights of the nodes along one axis."""
        return self.weights.sum(axis=tuple(other for other in range(4) if other != axis))


def respond(tried: Iterable[Tried], *, better: Literal["lower", "higher"] = "lower", level: float = 0.95,
            unit: str = "") -> Response:  # fmt: skip
    """Return the valley fitted to trainings at several values of one hyper-parameter, and the value to take.

    A quadratic in the logarithm of the value, steeper by a factor on the high side, fitted to the logarithm of the metric
    on a grid of its three parameters and the noise; all of them stay as uncertain as the runs leave them. A run that
    diverged says that its value costs more than any that did not.

    Raises:
        EvidenceError: fewer than three values ended, or a value or result is not positive.
    """
    runs = list(tried)
    cells = _gather(runs, better)
    found = _posterior(cells)
    choices, expected = _choices(cells, found)
    place = int(expected.argmin())
    best = float(cells.x[cells.y.argmin()])
    regrets, weights = _regrets(found, float(choices[place]))

    def estimate(values: Floats, weights: Floats, name: str, value: float | None = None) -> Estimate:
        middle, low, high = (_quantile(values, weights, share) for share in (0.5, (1 - level) / 2, (1 + level) / 2))
        value = middle if value is None else value
        return Estimate(
            value=value, low=min(low, value), high=max(high, value), level=level, unit=name, n=len(runs),
            method="asymmetric quadratic in the logarithm, on a grid",
        )  # fmt: skip

    depth, asymmetry = found.marginal(3), found.marginal(2)
    both = found.weights.sum(axis=(0, 1))
    high = (found.asymmetry[:, None] * found.depth[None, :]).ravel()
    return Response(
        optimum=estimate(2.0**found.optimum, found.marginal(1), unit),
        asymmetry=estimate(found.asymmetry, asymmetry, "ratio"),
        regrets={
            f"x{factor:g}": estimate(found.depth * octaves**2, depth, "relative")
            if factor < 1
            else estimate(high * octaves**2, both.ravel(), "relative")
            for factor, octaves in ((0.25, 2.0), (0.5, 1.0), (2.0, 1.0), (4.0, 2.0))
        },
        best=2.0**best,
        best_regret=_expected_at(found, best),
        recommended=2.0 ** float(choices[place]),
        recommended_regret=estimate(regrets, weights, "relative", float(expected[place])),
        spread=float((found.spread * found.marginal(0)).sum()),
        runs=len(runs),
        cautions=_cautions(cells, found),
    )


def _gather(runs: list[Tried], better: str) -> _Cells:
    """Return the runs by value. Where every value has the same seeds, what a seed does to all of them is taken out."""
    import numpy as np

    if any(one.at <= 0 or (one.value is not None and one.value <= 0) for one in runs):
        raise EvidenceError("a response is fitted to logarithms: values and results have to be above zero.")
    sign = 1.0 if better == "lower" else -1.0
    logs: dict[float, dict[int, float]] = {}
    for one in runs:
        if one.value is not None:
            logs.setdefault(math.log2(one.at), {})[one.seed] = sign * math.log(one.value)
    places = sorted(logs)
    if len(places) < 3:
        raise EvidenceError(
            f"{len(places)} values of the hyper-parameter gave a result; a valley needs at least 3. Try more values, or "
            "lower ones."
        )
    lost = {math.log2(one.at) for one in runs if one.value is None} - set(places)
    seeds = [sorted(logs[place]) for place in places]
    means = np.array([float(np.mean(list(logs[place].values()))) for place in places])
    rest = math.fsum((value - mean) ** 2 for place, mean in zip(places, means, strict=True)
                     for value in logs[place].values())  # fmt: skip
    degrees = sum(len(own) - 1 for own in seeds)
    if len(seeds[0]) > 1 and all(own == seeds[0] for own in seeds):
        table = np.array([[logs[place][seed] for seed in seeds[0]] for place in places])
        rest = float(((table - table.mean(0) - table.mean(1)[:, None] + table.mean()) ** 2).sum())
        degrees = (len(places) - 1) * (len(seeds[0]) - 1)
    return _Cells(
        np.array(places), means, np.array([float(len(own)) for own in seeds]),
        rest / degrees if degrees else 0.0, float(degrees), tuple(sorted(lost)),
    )  # fmt: skip


def _normal_nodes(centre: float, width: float, count: int) -> tuple[Floats, Floats]:
    """Return nodes around ``centre`` out to three widths and the logarithm of their weights."""
    import numpy as np

    steps = np.linspace(-3.0, 3.0, count)
    return centre + width * steps, -0.5 * steps**2


def _posterior(cells: _Cells) -> _Posterior:
    import numpy as np

    known = (cells.variance * cells.degrees + SPREAD**2) / (cells.degrees + 1.0)
    log_spread, by_spread = _normal_nodes(0.5 * math.log(known), 1.0 / math.sqrt(2.0 * (cells.degrees + 1.0)), 7)
    log_ratio, by_ratio = _normal_nodes(math.log(ASYMMETRY), ASYMMETRY_WIDTH, 15)
    log_depth, by_depth = _normal_nodes(math.log(DEPTH), DEPTH_WIDTH, 41)
    first, last = float(cells.x[0]) - BEYOND, max([float(cells.x[-1]), *cells.diverged]) + BEYOND
    optimum: Floats = np.linspace(first, last, max(3, round((last - first) / STEP) + 1))
    ratio, depth = np.exp(log_ratio), np.exp(log_depth)
    walls = _walls(cells.x, optimum, ratio)
    lost = _walls(np.array(cells.diverged), optimum, ratio) if cells.diverged else None
    height = cells.y - cells.y.min()
    logs: list[Floats] = []
    for log_one in log_spread:
        variance = np.exp(2.0 * log_one) / cells.count + (MISFIT * height) ** 2
        logs.append(_log_likelihood(cells, variance, walls, depth) + _of_the_lost(cells, variance, lost, depth))
    whole = np.array(logs) + by_spread[:, None, None, None] + by_ratio[:, None] + by_depth
    weights = np.exp(whole - whole.max())
    return _Posterior(weights / weights.sum(), optimum, ratio, depth, np.exp(log_spread))


def _walls(x: Floats, optimum: Floats, ratio: Floats) -> Floats:
    """Return the regret at each ``x`` in units of the depth, of every optimum and asymmetry."""
    import numpy as np

    away = x[None, None, :] - optimum[:, None, None]
    return np.where(away > 0, ratio[None, :, None], 1.0) * away**2


def _log_likelihood(cells: _Cells, variance: Floats, walls: Floats, depth: Floats) -> Floats:
    """Return the log likelihood by optimum, asymmetry and depth; the level of the valley is integrated out."""
    import numpy as np

    weight = 1.0 / variance
    whole = float(weight.sum())
    # sums of squares about the weighted mean, of y minus depth times wall, in the powers of depth
    y = cells.y - float((weight * cells.y).sum()) / whole
    centred = walls - (walls @ weight)[..., None] / whole
    square, cross = centred**2 @ weight, (centred * y) @ weight
    rest = float((weight * y**2).sum())
    misfit = rest - 2.0 * depth * cross[..., None] + depth**2 * square[..., None]
    return -0.5 * misfit - 0.5 * float(np.log(variance).sum()) - 0.5 * math.log(whole)


def _of_the_lost(cells: _Cells, variance: Floats, walls: Floats | None, depth: Floats) -> Floats | float:
    """Return the log likelihood that what diverged would have been worse than all that did not."""
    from scipy.special import log_ndtr  # pyright: ignore[reportMissingTypeStubs]

    if walls is None:
        return 0.0
    height = float(cells.y.max() - cells.y.min())
    scale = math.sqrt(float(variance.max()))
    found: Floats = log_ndtr((walls[..., None] * depth - height) / scale).sum(axis=2)
    return found


def _choices(cells: _Cells, found: _Posterior) -> tuple[Floats, Floats]:
    """Return the values that may be recommended, in octaves, and their expected regret.

    Nothing outside of what was tried, and nothing above the last value below the lowest that diverged.
    """
    import numpy as np

    first, last = float(cells.x[0]), float(cells.x[-1])
    above = [place for place in cells.diverged if place > first]
    if above and min(above) <= last:
        last = max(float(place) for place in cells.x if place < min(above))
    choices = np.linspace(first, last, max(3, round((last - first) / STEP) + 1))
    return choices, np.array([_expected_at(found, float(choice)) for choice in choices])


def _expected_at(found: _Posterior, choice: float) -> float:
    import numpy as np

    steepness = (found.weights.sum(axis=0) * found.depth).sum(axis=-1)
    return float((steepness * _walls(np.array([choice]), found.optimum, found.asymmetry)[..., 0]).sum())


def _regrets(found: _Posterior, choice: float) -> tuple[Floats, Floats]:
    """Return the regret of a choice at every node, and the nodes' weights."""
    import numpy as np

    walls = _walls(np.array([choice]), found.optimum, found.asymmetry)
    return (walls * found.depth).ravel(), found.weights.sum(axis=0).ravel()


def _quantile(values: Floats, weights: Floats, share: float) -> float:
    import numpy as np

    order = np.argsort(values, kind="stable")
    sums = np.cumsum(weights[order])
    return float(np.interp(share, (sums - 0.5 * weights[order]) / sums[-1], values[order]))


def _cautions(cells: _Cells, found: _Posterior) -> tuple[str, ...]:
    cautions: list[str] = []
    best = int(cells.y.argmin())
    if best == 0 or (best == len(cells.y) - 1 and not cells.diverged):
        side, word = ("smallest", "smaller") if best == 0 else ("largest", "larger")
        cautions.append(f"the best is the {side} value tried, so the optimum may lie beyond; try {word} ones")
    if cells.degrees == 0.0:
        cautions.append(f"no value was trained twice, so a run-to-run spread of about {100 * SPREAD:g} % is assumed")
    inside = found.marginal(1)[(found.optimum >= cells.x[0]) & (found.optimum <= cells.x[-1])].sum()
    if inside < 0.5:
        cautions.append("the fitted optimum lies outside of what was tried more likely than not")
    return tuple(cautions)
