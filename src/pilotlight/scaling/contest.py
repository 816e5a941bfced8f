"""Which variant wins at the target: a joint prediction for all of them from pilots at several scales."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, final

from pilotlight.randomness import stream
from pilotlight.scaling.contest_cells import Better, Grid, PilotRun, Scale, arrange
from pilotlight.scaling.contest_fit import LASTING, TRENDING, Family, Gaps, explain, spread
from pilotlight.scaling.contest_level import level

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DRAWS = 2048
"""Joint draws behind the chance of being best and the expected regret; their error is at most 1.1 points."""

SHARES = (0.5, 0.3, 0.2)
"""Say of three views of the target: gaps follow their trends; gaps last; the dearest cell's order stands.

Trends overshoot, so the forecast is combined with the naive ones, as forecasts of economies are. Below three cells the
first share goes to the second view: two cells give a slope but nothing to check it by. One set for all sources: what five
of eight published sources choose for the one that is left out (docs/statistics.md).
"""
ROOM = 2**20
"""Numbers held at once while covariances are averaged over settings."""


@final
@dataclass(frozen=True, slots=True)
class View:
    """Mean [variants] and covariance [variants, variants] of the gaps at the target under one family of beliefs."""

    fitted: Gaps
    mean: Floats
    covariance: Floats


@final
@dataclass(frozen=True)
class Contest:
    """What is known of every variant at the target. Lower is better in ``gaps``; a loss is in logarithms there.

    ``gaps`` [variants] are distances from the average variant, ``covariance`` [variants, variants] theirs;
    ``level`` and ``level_error`` are of that average variant and do not touch the decision.
    """

    grid: Grid
    views: tuple[View, View]
    gaps: Floats
    covariance: Floats
    level: float
    level_error: float

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of the variants; all arrays are in their order."""
        return self.grid.variants

    @cached_property
    def values(self) -> dict[str, tuple[float, float, float]]:
        """Predicted value at the target and its 95 % interval, in the user's own units, by variant."""
        found: dict[str, tuple[float, float, float]] = {}
        for row, name in enumerate(self.variants):
            middle = self.level + float(self.gaps[row])
            half = 1.96 * math.hypot(self.level_error, math.sqrt(max(float(self.covariance[row, row]), 0.0)))
            ends = sorted((self.grid.back(middle - half), self.grid.back(middle + half)))
            found[name] = (self.grid.back(middle), ends[0], ends[1])
        return found

    @cached_property
    def errors(self) -> Floats:
        """Standard deviations of the difference of each pair [variants, variants]."""
        import numpy as np

        own = np.diag(self.covariance)
        return np.sqrt(np.maximum(own[:, None] + own[None, :] - 2 * self.covariance, 1e-24))

    @cached_property
    def chances(self) -> Floats:
        """Chance that the variant of the row is better than that of the column [variants, variants]."""
        from scipy.special import ndtr  # pyright: ignore[reportMissingTypeStubs]

        return ndtr((self.gaps[None, :] - self.gaps[:, None]) / self.errors)

    @cached_property
    def draws(self) -> Floats:
        """Joint draws of the gaps [draws, variants]: the same ones every time."""
        import numpy as np

        values, vectors = np.linalg.eigh(self.covariance)
        root = vectors * np.sqrt(np.maximum(values, 0.0))
        half = stream(0, "contest", len(self.variants)).standard_normal((DRAWS // 2, len(self.variants)))
        return self.gaps + np.concatenate([half, -half]) @ root.T

    @cached_property
    def best(self) -> dict[str, float]:
        """Chance of being the best of all, by variant."""
        import numpy as np

        counts = np.bincount(self.draws.argmin(axis=1), minlength=len(self.variants))
        return {name: float(count) / DRAWS for name, count in zip(self.variants, counts, strict=True)}

    @property
    def pick(self) -> str:
        """The variant whose expected regret is least."""
        return self.variants[int(self.gaps.argmin())]

    @cached_property
    def regret(self) -> float:
        """How much worse the pick is expected to be than the best one: a share for a loss, else in the metric's units."""
        draws = self.draws
        return float((draws[:, int(self.gaps.argmin())] - draws.min(axis=1)).mean())

    def beats(self, one: str, other: str) -> float:
        """Return the chance that ``one`` is better than ``other`` at the target."""
        return float(self.chances[self.variants.index(one), self.variants.index(other)])


def contest(
    runs: Iterable[PilotRun], target: Scale, better: Better = "lower", variants: Sequence[str] | None = None
) -> Contest:
    """Return what pilot ``runs`` say about their variants at ``target``.

    With one cell the order is the cell's, and how far it can be trusted comes from how gaps grew and faded in
    published tables. Variants that are named but have no run get the average with the spread of the others.

    Raises:
        EvidenceError: there is no run, or one of a variant that is not among those named.
    """
    return judge(arrange(runs, target, better, variants))


def judge(grid: Grid) -> Contest:
    """Return what a grid of pilot values says about the variants at the target."""
    import numpy as np

    trending, lasting = _view(grid, TRENDING), _view(grid, LASTING)
    spreads = (trending.covariance, lasting.covariance, lasting.covariance)
    means = (trending.mean, lasting.mean, _dearest(grid, lasting.mean))
    parts = list(zip(shares(grid), SHARES, means, spreads, strict=True))
    mean = np.sum([share * view for share, _, view, _ in parts], axis=0)
    covariance = np.zeros((len(mean), len(mean)))
    for share, full, view, spread_of_it in parts:
        covariance += full * spread_of_it + share * np.outer(view - mean, view - mean)
    middle, error = level(grid, trending.fitted.weights @ trending.fitted.common)
    return Contest(grid, (trending, lasting), mean, covariance, middle, error)


def shares(grid: Grid) -> tuple[float, float, float]:
    """Return ``SHARES``, with that of trends passed on to the view that gaps last where under three cells compare."""
    trending, lasting, dearest = SHARES
    compared = int(((grid.repeats > 0).sum(axis=0) > 1).sum())
    return SHARES if compared > 2 else (0.0, lasting + trending, dearest)


def _view(grid: Grid, family: Family) -> View:
    fitted = explain(grid, family)
    mean = fitted.weights @ fitted.means
    apart = fitted.means - mean
    return View(fitted, mean, (fitted.weights[:, None] * apart).T @ apart + within(grid, fitted, grid.repeats))


def within(grid: Grid, fitted: Gaps, repeats: Floats) -> Floats:
    """Return the covariance of the gaps at the target that ``repeats`` [variants, cells] leave, averaged over settings."""
    import numpy as np

    count = len(grid.variants)
    found = np.zeros((count, count))
    chunk = max(1, ROOM // count**2)
    for start in range(0, len(fitted.weights), chunk):
        part = np.arange(start, min(start + chunk, len(fitted.weights)))
        size = fitted.weights[part] * fitted.scales[part] ** 2
        found += np.einsum("g,gij->ij", size, spread(grid, fitted.settings.only(part), repeats))
    return found


def _dearest(grid: Grid, lasting: Floats) -> Floats:
    """Return the gaps of the dearest cell in which two variants or more were run; the others' as they last."""
    import numpy as np

    found = lasting.copy()
    counts = (grid.repeats > 0).sum(axis=0)
    if (counts > 1).any():
        there = grid.values[:, int(np.flatnonzero(counts > 1)[-1])]
        seen = np.isfinite(there)
        found[seen] = there[seen] - there[seen].mean() + lasting[seen].mean()
    return found
