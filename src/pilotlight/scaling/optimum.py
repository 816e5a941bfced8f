"""The best size and length of training for a budget, and how much another size would cost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pilotlight.errors import EvidenceError
from pilotlight.record.forecast import Optimum
from pilotlight.scaling.cautions import FAR
from pilotlight.scaling.fit import Fit
from pilotlight.scaling.predict import Study
from pilotlight.stats.estimate import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIZES = 161
WIDTH = math.log(30.0)
"""Sizes are tried up to this far (in logarithms) on either side of the size that splits the budget as the table does."""
SPREAD = math.log(1.5)
"""Least spread of tokens per parameter in the table with which size and tokens can be told apart."""
FLAT = 0.005
"""Loss above the best that counts as no difference: the usual ``worth`` of a change."""


def optimum(study: Study, flops: float, *, level: float = 0.95, unit: str = "bits/byte") -> Optimum:
    """Return the compute-optimal size and tokens for ``flops`` of training, by the laws in which both enter.

    The best size is the minimum of the laws' weighted mean along the curve of equal compute; its interval holds
    ``level`` of the minima of the single laws and of all the exponents that each law thinks possible (by weight), so it
    carries parameter error and the laws' disagreement. The sizes within ``FLAT`` of the best say how flat it is.

    Raises:
        EvidenceError: every run has about the same tokens per parameter, no law of both could be fitted, or the budget is
            below the cheapest run.
    """
    import numpy as np

    logs = study.cells.logs
    ratio = logs[:, 1] - logs[:, 0]
    told = [(fit, weight) for fit, weight in zip(study.fits, study.weights, strict=True) if _has_minimum(fit)]
    _refuse(study, flops, able=bool(told))
    places = _along(study, flops)
    total = sum(weight for _, weight in told)
    mean = np.sum([weight / total * fit.at(places)[0] for fit, weight in told], axis=0)
    best = int(mean.argmin())
    low, high = _minima([(fit, weight / total) for fit, weight in told], places, level)
    flat = places[mean <= mean[best] + math.log1p(FLAT), 0]
    step = WIDTH * 2 / (SIZES - 1)
    costs = {factor: _cost(mean, best, round(math.log(factor) / step)) for factor in (0.5, 2.0)}
    spread, _ = study.spread(places[best])
    reach = flops / math.exp(float(logs[:, 2].max()))
    cautions = _cautions(best, ratio, places[best], reach)
    tokens = [
        math.exp(float(value)) for value in np.interp([low, float(places[best, 0]), high], places[:, 0], places[:, 1])
    ]
    method = f"{len(told)} laws along equal compute"
    size = math.exp(float(places[best, 0]))
    return Optimum(
        flops=flops,
        parameters=_estimate((math.exp(low), size, math.exp(high)), level, "parameters", study.cells.runs, method),
        tokens=_estimate((tokens[2], tokens[1], tokens[0]), level, "tokens", study.cells.runs, method),
        loss=spread.estimate(level=level, unit=unit, n=study.cells.runs, method=method, cautions=cautions),
        flat=FLAT, flat_low=math.exp(float(flat.min())), flat_high=math.exp(float(flat.max())),
        half_the_size=costs[0.5], twice_the_size=costs[2.0], cautions=cautions,
    )  # fmt: skip


def _refuse(study: Study, flops: float, *, able: bool) -> None:
    import numpy as np

    logs = study.cells.logs
    ratio, least = logs[:, 1] - logs[:, 0], math.exp(float(logs[:, 2].min()))
    if flops < least:
        raise EvidenceError(
            f"the budget of {flops:.3g} FLOPs is less than the {least:.3g} of the cheapest run in the table; "
            "ask for more, or add smaller runs"
        )
    if float(np.ptp(ratio)) < SPREAD or not able:
        raise EvidenceError(
            f"every run has about {math.exp(float(ratio.mean())):.3g} tokens per parameter, so the best split of a budget "
            "cannot be told; train a few sizes for half and for twice as long"
        )


def _has_minimum(fit: Fit) -> bool:
    return not fit.law.best_only


def _along(study: Study, flops: float) -> Floats:
    """Return logarithms of N, D, C, S [sizes, 4] of equal compute, about the table's own tokens per parameter."""
    import numpy as np

    ratio = float(np.median(study.cells.logs[:, 1] - study.cells.logs[:, 0]))
    product = math.log(flops) - float(study.logs(1.0, 1.0)[2])
    sizes = (product - ratio) / 2 + np.linspace(-WIDTH, WIDTH, SIZES)
    tokens = product - sizes
    return np.stack([sizes, tokens, np.full(SIZES, math.log(flops)), tokens - study.batch], axis=1)


def _minima(told: list[tuple[Fit, float]], places: Floats, level: float) -> tuple[float, float]:
    """Return the log sizes between which ``level`` of the minima lie, by weight of law and exponents."""
    import numpy as np

    sizes: list[Floats] = []
    weights: list[Floats] = []
    for fit, weight in told:
        keep = fit.weights > 1e-3 * fit.weights.max()
        columns = fit.law.columns(places - fit.reference, fit.exponents[keep])
        values = np.einsum("gnp,gp->gn", columns, fit.coefficients[keep])
        sizes.append(places[values.argmin(axis=1), 0])
        weights.append(weight * fit.weights[keep])
    size, share = np.concatenate(sizes), np.concatenate(weights)
    order = size.argsort(kind="stable")
    below = np.cumsum(share[order]) / share.sum()
    tail = (1 - level) / 2
    low = size[order][int(np.searchsorted(below, tail))]
    high = size[order][min(int(np.searchsorted(below, 1 - tail)), len(size) - 1)]
    return float(low), float(high)


def _cost(mean: Floats, best: int, steps: int) -> float | None:
    there = best + steps
    return float(math.expm1(float(mean[there] - mean[best]))) if 0 <= there < len(mean) else None


def _cautions(best: int, ratio: Floats, place: Floats, reach: float) -> tuple[str, ...]:
    found: list[str] = []
    if reach > FAR:
        found.append(f"the budget is {reach:.3g} times the dearest run in FLOPs; few back-tests reach beyond {FAR:.0f}")
    if best in (0, SIZES - 1):
        found.append("the best size lies at the edge of what was searched: the table does not show a minimum")
    here = float(place[1] - place[0])
    if not float(ratio.min()) <= here <= float(ratio.max()):
        low, high = math.exp(float(ratio.min())), math.exp(float(ratio.max()))
        found.append(f"the best split has {math.exp(here):.3g} tokens per parameter, the runs {low:.3g} to {high:.3g}")
    return tuple(found)


def _estimate(bounds: tuple[float, float, float], level: float, unit: str, n: int, method: str) -> Estimate:
    low, value, high = bounds
    return Estimate(
        value=value, low=min(low, value), high=max(high, value), level=level, unit=unit, n=n, method=method
    )  # fmt: skip
