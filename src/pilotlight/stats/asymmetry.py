"""Which wall of the valley is steeper: one asymmetry for many cells, whose optimum and depth move with their size."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast, final

from pilotlight.errors import EvidenceError
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.response import ASYMMETRY, DEPTH, MISFIT, SPREAD, Tried
from pilotlight.stats.student import critical

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_CELLS = 6
_STARTS = (0.5, 1.0, ASYMMETRY)


@final
@dataclass(frozen=True, slots=True)
class Cell:
    """Trainings that differ in one hyper-parameter, and what moves the optimum from cell to cell, such as parameters."""

    sizes: tuple[float, ...]
    tried: tuple[Tried, ...]


@final
@dataclass(frozen=True)
class _Table:
    """All runs that ended: octaves, logs, the cell each is of, and the cells' sizes in octaves about their mean."""

    x: Floats
    y: Floats
    cell: NDArray[np.intp]
    sizes: Floats
    spread: Floats


def pooled_asymmetry(cells: Iterable[Cell], level: float = 0.95) -> Estimate:
    """Return the regret of twice too high over that of twice too low, common to all cells; smaller results are better.

    Three values of a cell leave its asymmetry open: any is right with another optimum. So the optimum and the depth are
    powers of the sizes, and cells that lie on either side of it tell. Robust least squares on the logarithms, the level
    of each cell free; the interval takes cells, not runs, as its units (sandwich estimate).

    Raises:
        EvidenceError: fewer than 6 cells have two values that ended.
    """
    import numpy as np
    from scipy import optimize  # pyright: ignore[reportMissingTypeStubs]

    least_squares: Any = cast(Any, optimize).least_squares  # its stubs leave the result open
    table = _table(cells)
    count, features = len(table.sizes), table.sizes.shape[1]
    residuals = _residuals(table)
    start = np.zeros(3 + 2 * features)
    start[0], start[1 + features] = _best_octave(table), math.log(2 * DEPTH)
    fits: list[tuple[float, Floats, Floats, Floats]] = []
    for ratio in _STARTS:
        start[-1] = math.log(ratio)
        found: Any = least_squares(residuals, start, loss="soft_l1", max_nfev=400)
        fits.append((float(found.cost), found.x, found.fun, found.jac))
    _, best, rest, slopes = min(fits, key=lambda fit: fit[0])
    # The score of soft_l1 is rest / sqrt(1 + rest^2) by the Jacobian; the one that scipy returns is scaled by (1 + rest^2)^-3/4.
    weighted = rest * (1.0 + rest**2) ** 0.25
    scores = np.zeros((count, len(best)))
    np.add.at(scores, table.cell, weighted[:, None] * slopes)
    bread = np.linalg.pinv(slopes.T @ slopes)
    degrees = max(1, count - len(best))
    error = math.sqrt(float((bread @ (scores.T @ scores) @ bread)[-1, -1]) * count / degrees)
    half = critical(level, degrees) * error
    return Estimate(
        value=math.exp(best[-1]), low=math.exp(best[-1] - half), high=math.exp(best[-1] + half), level=level, unit="ratio",
        n=count, method="one asymmetry, optimum and depth powers of the sizes; errors over cells",
    )  # fmt: skip


def _table(cells: Iterable[Cell]) -> _Table:
    import numpy as np

    ended = [(cell, [one for one in cell.tried if one.value is not None]) for cell in cells]
    usable = [(cell, runs) for cell, runs in ended if len({one.at for one in runs}) >= 2]
    if len(usable) < LEAST_CELLS:
        raise EvidenceError(
            f"{len(usable)} cells were trained at two values or more; one asymmetry for all needs at least {LEAST_CELLS}."
        )
    x: list[float] = []
    y: list[float] = []
    spread: list[float] = []
    place: list[int] = []
    for number, (_, runs) in enumerate(usable):
        logs = [math.log(one.value or math.nan) for one in runs]
        x += [math.log2(one.at) for one in runs]
        y += logs
        spread += [math.hypot(SPREAD, MISFIT * (log - min(logs))) for log in logs]
        place += [number] * len(runs)
    sizes = np.log2(np.array([cell.sizes for cell, _ in usable], dtype=float))
    return _Table(np.array(x), np.array(y), np.array(place), sizes - sizes.mean(axis=0), np.array(spread))


def _best_octave(table: _Table) -> float:
    best: dict[int, tuple[float, float]] = {}
    for cell, y, x in zip(table.cell.tolist(), table.y.tolist(), table.x.tolist(), strict=True):
        best[cell] = min(best.get(cell, (math.inf, 0.0)), (y, x))
    places: Sequence[float] = sorted(x for _, x in best.values())
    return places[len(places) // 2]


def _residuals(table: _Table) -> Callable[[Floats], Floats]:
    """Return what every run lies above its cell's valley, in spreads, by the parameters of the valley."""
    import numpy as np

    features = table.sizes.shape[1]
    sizes, weight = table.sizes[table.cell], 1.0 / table.spread**2
    whole = np.bincount(table.cell, weight)

    def residuals(parameters: Floats) -> Floats:
        optimum = parameters[0] + sizes @ parameters[1 : 1 + features]
        depth = np.exp(parameters[1 + features] + sizes @ parameters[2 + features : -1])
        away = table.x - optimum
        rest = table.y - depth * np.where(away > 0, np.exp(parameters[-1]), 1.0) * away**2
        level = np.bincount(table.cell, weight * rest) / whole
        return (rest - level[table.cell]) / table.spread

    return residuals
