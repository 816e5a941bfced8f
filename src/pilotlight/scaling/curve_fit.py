"""One law of curves fitted to the curves of some runs: variable projection with a weak prior, robust to spikes."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast, final

from pilotlight.scaling.curve import Stretch
from pilotlight.scaling.curve_law import CurveLaw

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

ANNEALING = (0.03, 0.03)
"""What a full fall of the learning rate is believed to bring before any was seen: share of the loss, and its
standard deviation. It decides only where no run that is fitted to anneals."""
SIZE = (0.35, 0.35)
"""Prior of the exponent of the size, where sizes differ: centre, and standard deviation of its log, as in fit.py."""
FIRST_MISFIT = 0.003
"""Relative misfit that a fit begins with."""
LEAST_MISFIT = 1e-5
ROUNDS = 3
"""Fits, each with the misfit and the robust weights of the one before."""
HUBER = 2.0
"""Residuals beyond this many standard deviations pull with constant force (Huber 1964)."""
STARTS = 2
STEP = 1e-4
"""Step of log exponents by which derivatives are taken."""


@final
@dataclass(frozen=True)
class CurveFit:
    """A law with its numbers: log ``exponents``, ``coefficients`` and the ``covariance`` of both together.

    ``misfit`` is the relative standard deviation of the residuals, ``memory`` how many neighbouring residuals are
    worth one; ``size`` the mean size where sizes differ, else None.
    """

    law: CurveLaw
    exponents: Floats
    coefficients: Floats
    covariance: Floats
    misfit: float
    memory: float
    size: float | None

    def at(self, where: Stretch) -> tuple[Floats, Floats]:
        """Return log loss at ``where`` and its standard deviation from the error of the law's numbers."""
        import numpy as np

        columns = _columns(self.law, (where,), self.exponents, self.size)
        values = np.maximum(columns @ self.coefficients, 1e-9)
        slopes = _slopes(self.law, (where,), self.exponents, self.coefficients, self.size) / values[:, None]
        # the square root of a covariance that rounding has made slightly negative is 0
        return np.log(values), np.sqrt(np.maximum(np.einsum("np,pq,nq->n", slopes, self.covariance, slopes), 0.0))

    def gain(self, where: Stretch) -> Floats:
        """Return what falls of the learning rate have brought at ``where``, as a share of the loss."""
        import numpy as np

        columns = _columns(self.law, (where,), self.exponents, self.size)
        if not self.law.anneals:
            return np.zeros(len(columns))
        return -columns[:, 2] * self.coefficients[2] / np.maximum(columns @ self.coefficients, 1e-9)

    @cached_property
    def numbers(self) -> dict[str, float]:
        """Exponents and coefficients by name."""
        import numpy as np

        names = (*self.law.exponents, *(("size exponent",) if self.size else ()))
        found = dict(zip(names, np.exp(self.exponents).tolist(), strict=True))
        names = (*self.law.coefficients, *(("size",) if self.size else ()))
        return found | dict(zip(names, self.coefficients.tolist(), strict=True))


def fit_curves(law: CurveLaw, stretches: Sequence[Stretch], start: CurveFit | None = None) -> CurveFit:
    """Return ``law`` fitted to ``stretches``, every run weighing alike; ``start`` spares the search for a start."""
    import numpy as np
    from scipy.optimize import least_squares  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

    problem = _Problem.of(law, stretches)
    misfit, memory = (FIRST_MISFIT, 5.0) if start is None else (start.misfit, start.memory)
    weights = problem.weights
    begins = [start.exponents] if start is not None else problem.starts(weights, misfit * memory**0.5)
    best = begins[0]
    for turn in range(ROUNDS if start is None else ROUNDS - 1):
        spread = misfit * memory**0.5
        tries = begins if turn == 0 else [best]
        found: list[Any] = [
            least_squares(
                problem.residuals, begin, args=(weights, spread), method="lm", diff_step=STEP, xtol=1e-6, ftol=1e-7
            )
            for begin in tries
        ]
        best = problem.inside(min(found, key=lambda result: float(result.cost)).x)
        columns = problem.columns(best)
        left = problem.relative(columns, problem.coefficients(columns, weights, spread))
        # the middle of the residuals: a spike is no misfit
        middle = float(np.median(np.abs(left))) * 1.4826
        weights = problem.weights * np.minimum(1.0, HUBER * middle / np.maximum(np.abs(left), 1e-12))
        misfit = max(float(np.sqrt((weights * left**2).sum() / weights.sum())), LEAST_MISFIT)
        memory = _memory(left, problem.lengths)
    spread = misfit * memory**0.5
    columns = problem.columns(best)
    coefficients = problem.coefficients(columns, weights, spread)
    covariance = problem.covariance(best, coefficients, weights, spread)
    # of all points alike: what a law cannot follow is no outlier
    left = problem.relative(columns, coefficients)
    plain = max(float(np.sqrt((problem.weights * left**2).mean())), LEAST_MISFIT)
    return CurveFit(law, best, coefficients, covariance, plain, memory, problem.size)


@final
@dataclass(frozen=True)
class _Problem:
    """A law, the stretches it is fitted to, and what follows from them."""

    law: CurveLaw
    stretches: tuple[Stretch, ...]
    losses: Floats
    weights: Floats
    size: float | None
    centres: Floats
    widths: Floats

    @classmethod
    def of(cls, law: CurveLaw, stretches: Sequence[Stretch]) -> _Problem:
        import numpy as np

        losses = np.concatenate([one.losses for one in stretches])
        mean = len(losses) / len(stretches)
        weights = np.concatenate([np.full(len(one.losses), mean / len(one.losses)) for one in stretches])
        size = mean_size(stretches)
        more = ((SIZE[0],), (SIZE[1],)) if size else ((), ())
        centres = np.log(np.array([*law.centres, *more[0]]))
        return cls(law, tuple(stretches), losses, weights, size, centres, np.array([*law.widths, *more[1]]))

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(len(one.losses) for one in self.stretches)

    @cached_property
    def expected(self) -> tuple[float, float]:
        """The gain of annealing that is believed in before, in units of the loss."""
        last = min(float(one.losses[-1]) for one in self.stretches)
        return ANNEALING[0] * last, ANNEALING[1] * last

    def starts(self, weights: Floats, spread: float) -> list[Floats]:
        """Return the best corners of a coarse grid."""
        import numpy as np

        corners = (-1.2, 0.0, 1.2) if len(self.centres) < 4 else (-0.8, 0.8)
        grid = [
            self.centres + np.array(place) * self.widths
            for place in itertools.product(corners, repeat=len(self.centres))
        ]
        costs = [float((self.residuals(place, weights, spread) ** 2).sum()) for place in grid]
        return [grid[index] for index in np.argsort(costs)[:STARTS]]

    def columns(self, exponents: Floats) -> Floats:
        return _columns(self.law, self.stretches, exponents, self.size)

    def coefficients(self, columns: Floats, weights: Floats, spread: float) -> Floats:
        """Return the best coefficients >= 0 of the columns."""
        import numpy as np
        from scipy.optimize import nnls  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]

        scale = np.sqrt(weights) / spread
        left = columns * (scale / self.losses)[:, None]
        right = scale
        if self.law.anneals:
            believed, doubt = self.expected
            row = np.zeros((1, columns.shape[1]))
            row[0, 2] = 1.0 / doubt
            left, right = np.concatenate([left, row]), np.append(right, believed / doubt)
        sizes: Floats = np.sqrt((left**2).sum(axis=0)) + 1e-300
        solved = np.asarray(np.linalg.lstsq(left / sizes, right, rcond=1e-10)[0], dtype=np.float64)
        if (solved < 0).any():
            bounded = cast(Any, nnls)(left / sizes, right)
            solved = np.asarray(bounded[0], dtype=np.float64)
        return solved / sizes

    def inside(self, exponents: Floats) -> Floats:
        """Return the exponents within 6 standard deviations of their prior: further out the terms overflow."""
        import numpy as np

        return np.clip(exponents, self.centres - 6 * self.widths, self.centres + 6 * self.widths)

    def relative(self, columns: Floats, coefficients: Floats) -> Floats:
        return columns @ coefficients / self.losses - 1.0

    def residuals(self, exponents: Floats, weights: Floats, spread: float) -> Floats:
        """Return all that is to be small: misfit of the points, then distance of the numbers from their prior."""
        import numpy as np

        columns = self.columns(self.inside(exponents))
        coefficients = self.coefficients(columns, weights, spread)
        points = np.sqrt(weights) * self.relative(columns, coefficients) / spread
        prior = (exponents - self.centres) / self.widths
        believed, doubt = self.expected
        gain = [(coefficients[2] - believed) / doubt] if self.law.anneals else []
        return np.concatenate([points, prior, gain])

    def covariance(self, exponents: Floats, coefficients: Floats, weights: Floats, spread: float) -> Floats:
        """Return the covariance of log exponents and coefficients: of the prior where the curves say nothing."""
        import numpy as np

        slopes = _slopes(self.law, self.stretches, exponents, coefficients, self.size)
        slopes = slopes * (np.sqrt(weights) / (self.losses * spread))[:, None]
        precision = slopes.T @ slopes
        count = len(exponents)
        precision[range(count), range(count)] += 1.0 / self.widths**2
        if self.law.anneals:
            precision[count + 2, count + 2] += 1.0 / self.expected[1] ** 2
        # a size or floor that nothing pins down is known to be of the size of the loss
        rest = range(count, len(precision))
        precision[rest, rest] += 1.0 / (10.0 * float(self.losses.mean())) ** 2
        return np.asarray(np.linalg.inv(precision), dtype=np.float64)


def mean_size(stretches: Sequence[Stretch]) -> float | None:
    """Return the geometric mean size where every size is known and they differ, else None."""
    import numpy as np

    sizes = [one.size for one in stretches if one.size]
    if len(sizes) < len(stretches) or max(sizes) < 1.01 * min(sizes):
        return None
    return float(np.exp(np.log(sizes).mean()))


def _columns(law: CurveLaw, stretches: Sequence[Stretch], exponents: Floats, size: float | None) -> Floats:
    import numpy as np

    numbers = np.exp(exponents)
    own = numbers[: len(law.exponents)]
    parts: list[Floats] = []
    for one in stretches:
        columns = law.columns(one.path, own)
        if size:
            term = ((one.size or size) / size) ** -float(numbers[-1])
            columns = np.concatenate([columns, np.full((len(columns), 1), term)], axis=1)
        parts.append(columns)
    return np.concatenate(parts)


def _slopes(
    law: CurveLaw, stretches: Sequence[Stretch], exponents: Floats, coefficients: Floats, size: float | None
) -> Floats:
    """Return derivatives of the loss by log exponents and coefficients [points, both]."""
    import numpy as np

    found: list[Floats] = []
    for index in range(len(exponents)):
        step = np.zeros(len(exponents))
        step[index] = STEP
        up, down = (_columns(law, stretches, exponents + sign * step, size) @ coefficients for sign in (1, -1))
        found.append((up - down) / (2 * STEP))
    return np.concatenate([np.stack(found, axis=1), _columns(law, stretches, exponents, size)], axis=1)


def _memory(left: Floats, lengths: Sequence[int]) -> float:
    """Return how many neighbouring residuals are worth one: (1 + r)/(1 - r) of their correlation r, at most a quarter run."""
    import numpy as np

    ends = np.cumsum(lengths)[:-1]
    top = bottom = 0.0
    for part in np.split(left, ends):
        top += float((part[1:] * part[:-1]).sum())
        bottom += float((part**2).sum())
    correlation = min(max(top / max(bottom, 1e-300), 0.0), 0.95)
    return min((1 + correlation) / (1 - correlation), max(min(lengths) / 4, 1.0))
