"""One law fitted to the cells of a study: variable projection on a zooming grid of exponents."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from pilotlight.errors import EvidenceError
from pilotlight.scaling.points import Cells, Point, gather

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pilotlight.scaling.law import Law

    Floats = NDArray[np.float64]

PRIOR_WIDTH = 0.35
"""Standard deviation of the log of an exponent under the prior: 95 % lie within a factor of 2 of the centre."""
MISFIT = 0.015
"""How wrong a law is believed to be, as a share of the loss, per decade below the dearest cell.

No published law holds over many decades; nearness to the target decides how much a run has to say about it.
Chosen among 0.01 to 0.05, together with ``PRIOR_WIDTH`` and ``KNOWN``, on published tables and planted ladders
(bench/decisions.py): one value for all of them.
"""
SEARCHED = (0.01, 2.5)
"""Range of every exponent."""
KNOWN = 2.0
"""Degrees of freedom that the noise figure is worth on top of the repeats that measured it."""
ROUNDS = 5
"""Zooms of the grid; the first four of them also update the robust weights."""
HUBER = 1.5
"""Residuals beyond this many standard deviations pull with constant force (Huber 1964)."""


@final
@dataclass(frozen=True, slots=True)
class Fit:
    """A law with what the cells say about its numbers: a grid of exponents, each with weight and coefficients.

    ``reference`` [4] was subtracted from the logarithms; ``exponents`` [settings, exponents], ``coefficients``
    [settings, coefficients], ``covariance`` [settings, coefficients, coefficients] (relative to the loss, given
    the exponents), ``weights`` [settings] sum to 1; ``df`` counts residual degrees of freedom, prior included.
    """

    law: Law
    reference: Floats
    exponents: Floats
    coefficients: Floats
    covariance: Floats
    weights: Floats
    df: float
    cells: int
    least: float
    """A loss below which no law is believed: a tenth of the best that was fitted."""

    def at(self, logs: Floats) -> tuple[Floats, Floats]:
        """Return log loss and its standard deviation from parameter error at ``logs`` of N, D, C, S [points, 4]."""
        import numpy as np

        columns = self.law.columns(logs - self.reference, self.exponents)
        values = np.einsum("gnp,gp->gn", columns, self.coefficients)
        # A bowl can reach below 0 far outside its table: settings that say so have no say there.
        share = np.where(values > self.least, self.weights[:, None], 0.0) + 1e-300
        share = share / share.sum(axis=0)
        values = np.maximum(values, self.least)
        within = np.einsum("gnp,gpq,gnq->gn", columns, self.covariance, columns) / values**2
        logged = np.log(values)
        mean = (share * logged).sum(axis=0)
        return mean, np.sqrt((share * (within + (logged - mean) ** 2)).sum(axis=0))

    def numbers(self) -> dict[str, float]:
        """Return the likeliest exponents and coefficients by name, for N, D, C, S in their plain units."""
        best = int(self.weights.argmax())
        exponents = [float(value) for value in self.exponents[best]]
        return self.law.plain(exponents, [float(value) for value in self.coefficients[best]], self.reference)


def fit(law: Law, points: Iterable[Point] | Cells) -> Fit:
    """Return ``law`` fitted to ``points``.

    Residuals are relative to the loss; Huber weights curb the outliers; cells weigh by their repeats and by nearness
    to the dearest (``MISFIT``).

    Raises:
        EvidenceError: fewer distinct cells than ``law.fewest``.
    """
    cells = points if isinstance(points, Cells) else gather(points)
    used = useful(law, cells)
    if len(used) < law.fewest:
        raise EvidenceError(
            f"{law.name} needs {law.fewest} cells of different size or tokens, but there are {len(used)}; "
            "add a rung to the ladder"
        )
    return project(law, used)


def useful(law: Law, cells: Cells) -> Cells:
    """Return the cells ``law`` speaks of: all, those that no cheaper cell beats, or none where it wants another table."""
    import numpy as np

    if (law.wants == "batches" and not cells.batched) or (law.wants == "fresh" and cells.repeated):
        return cells.only(np.zeros(len(cells), dtype=bool))
    if not law.best_only:
        return cells
    before = np.r_[np.inf, np.minimum.accumulate(cells.loss)[:-1]]
    return cells.only(cells.loss < before)


def project(law: Law, cells: Cells) -> Fit:
    """Return the fit to exactly these cells, however few: the prior fills in what they leave open."""
    import numpy as np

    reference = cells.logs.mean(axis=0)
    logs = cells.logs - reference
    start = _weights(cells)
    weights = start
    count = len(law.exponents)
    low, high = np.full(count, math.log(SEARCHED[0])), np.full(count, math.log(SEARCHED[1]))
    centre = np.log(law.centres)
    known = KNOWN + cells.noise_df
    spare = known
    for turn in range(ROUNDS):
        grid, step = _grid(low, high)
        columns = law.columns(logs, np.exp(grid))
        coefficients, inverse, squares = _non_negative(columns, cells.loss, weights)
        # tempered: a cell counts with its weight, not as one, for what is wrong with the law far off is wrong alike
        spare = max(float(weights.sum()) - len(law.coefficients), 0.0) + known
        squares = squares + known * cells.noise**2
        score = -0.5 * spare * np.log(squares) - 0.5 * (((grid - centre) / PRIOR_WIDTH) ** 2).sum(axis=1)
        near = score > score.max() - 10.0
        if turn == ROUNDS - 1:
            share = np.exp(score - score.max())
            covariance = inverse * (squares / spare)[:, None, None]
            return Fit(
                law,
                reference,
                np.exp(grid),
                coefficients,
                covariance,
                share / share.sum(),
                spare,
                len(cells),
                0.1 * float(cells.loss.min()),
            )
        if len(cells) > len(law.coefficients) + count + 4:
            best = int(score.argmax())
            weights = start * _huber(columns[best] @ coefficients[best] / cells.loss - 1, cells.noise)
        low, high = np.maximum(grid[near].min(axis=0) - step, low - step), grid[near].max(axis=0) + step
    raise AssertionError("the loop returns in its last turn")


def _weights(cells: Cells) -> Floats:
    import numpy as np

    variance = cells.noise**2 / cells.repeats + (MISFIT * (cells.decades.max() - cells.decades)) ** 2
    return np.asarray(cells.noise**2 / variance)


def _huber(residuals: Floats, least: float) -> Floats:
    import numpy as np

    spread = max(1.4826 * float(np.median(np.abs(residuals))), least)
    return np.minimum(1.0, HUBER * spread / np.maximum(np.abs(residuals), 1e-12))


def _grid(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    import numpy as np

    steps = {1: 40, 2: 12, 3: 9}[len(low)]
    step = (high - low) / (steps - 1)
    places = np.indices((steps,) * len(low)).reshape(len(low), -1).T
    return low + places * step, step


def _non_negative(columns: Floats, loss: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Return non-negative least squares for every setting: coefficients, inverse Gram matrices, squared residuals.

    With at most four columns every subset can be solved in closed form, all settings at once; the best one with no
    negative coefficient is the constrained optimum (Lawson and Hanson 1974, chapter 23, by exhaustion).
    """
    import numpy as np

    scale = np.sqrt(weights)
    scaled = columns * (scale / loss)[None, :, None]
    settings, _, terms = scaled.shape
    gram = scaled.transpose(0, 2, 1) @ scaled
    right = scaled.transpose(0, 2, 1) @ scale
    coefficients, inverse = np.zeros((settings, terms)), np.zeros((settings, terms, terms))
    squares = np.full(settings, np.inf)
    subsets = [s for size in range(1, terms + 1) for s in itertools.combinations(range(terms), size)]
    for subset in subsets:
        pick = np.array(subset)
        part = gram[:, pick[:, None], pick[None, :]]
        # a trace of ridge: with one token ratio two columns can be the same
        ridge = 1e-11 * np.trace(part, axis1=1, axis2=2)[:, None, None] * np.eye(len(pick))
        inverted = np.asarray(np.linalg.inv(part + ridge), dtype=np.float64)
        solved = np.einsum("gij,gj->gi", inverted, right[:, pick])
        left = np.einsum("gni,gi->gn", scaled[:, :, pick], solved) - scale
        found = (left**2).sum(axis=1)
        better = (solved >= 0).all(axis=1) & (found < squares)
        squares = np.where(better, found, squares)
        coefficients[better] = 0.0
        coefficients[np.ix_(better, pick)] = solved[better]
        inverse[better] = 0.0
        inverse[np.ix_(better, pick, pick)] = inverted[better]
    return coefficients, inverse, squares
