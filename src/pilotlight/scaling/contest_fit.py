"""How variants differ across scales: gaps as Gaussian processes that share their settings, and what they are at the target.

Value of variant v in cell c = what the cell does to all (free) + gap of v there + noise. A gap is a constant, plus a
trend whose slope along size and tokens is forgotten at some rate, plus a wiggle that nearby scales share. How large each
part is, is common to all variants and is averaged over by how well it explains what was seen.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from pilotlight.scaling.contest_cells import Grid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TREND = (0.1, 1.0)
"""Centre and width (of the logarithm) of what is believed of a trend before anything is seen: per e-fold of size or of
tokens, as a share of the gaps."""
TREND_UNITS = (4.0, 1.0)
"""The same in units of the noise of one run: two variants that happen to be alike may still drift apart."""
WIGGLE = (0.15, 0.7)
"""Centre and width of what is believed of the wiggle, as a share of the gaps."""
NOISE_WIDTH = 1.0
"""Width of the logarithm of the noise that is believed in before repeats are seen."""
REACH = 2.0
"""E-folds of size and tokens together over which a wiggle loses all but a third of its memory."""
START = (1.0, 10.0)
"""Degrees of freedom of the first belief about the size of gaps, and that size in units of the noise."""


@final
@dataclass(frozen=True, slots=True)
class Family:
    """One belief about how gaps change with scale, as the values that its settings may take.

    ``fades``: rate per e-fold at which a slope is forgotten (0: never); ``trends``: standard deviation of a slope per
    e-fold of size or of tokens; ``wiggles`` and ``noises``: of the wiggle and of one run. All three are shares of the
    standard deviation of the gaps.
    """

    fades: tuple[float, ...]
    trends: tuple[float, ...]
    wiggles: tuple[float, ...]
    noises: tuple[float, ...] = (0.03, 0.15, 0.7, 2.5)

    def candidates(self) -> Settings:
        """Return every combination of the settings."""
        import numpy as np

        table = np.array(list(itertools.product(self.fades, self.trends, self.wiggles, self.noises)))
        return Settings(table[:, 0], table[:, 1], table[:, 2], table[:, 3])


TRENDING = Family(fades=(0.0, 0.3), trends=(0.06, 0.25, 1.0), wiggles=(0.1, 0.3))
"""Gaps have slopes, which carry them on beyond the pilots. A grid 14 times as fine decides no better."""
LASTING = Family(fades=(0.0,), trends=(0.0,), wiggles=(0.1, 0.3))
"""Gaps stay what they are, but for a wiggle."""


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """Candidate settings of the model: ``fade``, ``trend``, ``wiggle``, ``noise``, each [settings]."""

    fade: Floats
    trend: Floats
    wiggle: Floats
    noise: Floats

    def only(self, keep: NDArray[np.intp]) -> Settings:
        """Return the settings at the places ``keep``."""
        return Settings(self.fade[keep], self.trend[keep], self.wiggle[keep], self.noise[keep])


@final
@dataclass(frozen=True, slots=True)
class Gaps:
    """What the pilots say about gaps: settings with weights [settings] and the size of gaps under each [settings].

    ``means`` are the gaps at the target [settings, variants], ``common`` the cells' common values [settings, cells].
    """

    settings: Settings
    weights: Floats
    scales: Floats
    means: Floats
    common: Floats


def explain(grid: Grid, family: Family) -> Gaps:
    """Return the gaps at the target, by setting, and how much each setting is to be believed."""
    import numpy as np

    settings = family.candidates()
    solved = _solve(grid, settings, grid.repeats)
    there = grid.repeats > 0
    df = float(there.sum() - there.any(axis=0).sum()) + START[0]
    squares = solved.squares + START[0] * (START[1] * grid.unit) ** 2
    scales = np.sqrt(squares / df)
    score = -0.5 * (solved.logs + df * np.log(squares)) + _believed(settings, scales, grid)
    keep = np.flatnonzero(score > score.max() - 7.0)
    weights = np.exp(score[keep] - score.max())
    means = _means(solved, grid, keep)
    return Gaps(settings.only(keep), weights / weights.sum(), scales[keep], means, solved.common[keep])


def spread(grid: Grid, settings: Settings, repeats: Floats) -> Floats:
    """Return the covariance of the gaps at the target [settings, variants, variants], gaps being of size 1.

    It depends on which runs there are (``repeats``, [variants, cells]) and not on what they said.
    """
    import numpy as np

    solved = _solve(grid, settings, repeats)
    covariance = solved.pull @ solved.inverse @ solved.pull.transpose(0, 2, 1)
    diagonal = np.arange(len(grid.variants))
    covariance[:, diagonal, diagonal] += solved.left
    return covariance


@final
@dataclass(frozen=True, slots=True)
class _Solved:
    """The linear algebra of all settings: log determinants and squares, both [settings].

    Also the cells' common values with their covariance, and how each variant's gap at the target follows from its
    values (``pull`` [settings, variants, cells]) with the variance that is ``left`` [settings, variants].
    """

    logs: Floats
    squares: Floats
    common: Floats
    inverse: Floats
    pull: Floats
    left: Floats


def _solve(grid: Grid, settings: Settings, repeats: Floats) -> _Solved:
    import numpy as np

    kernel, cross, own = _kernel(grid, settings)
    # variants that ran in the same cells equally often share their algebra
    patterns, which = np.unique(repeats, axis=0, return_inverse=True)
    which = which.reshape(-1)
    seen = patterns > 0
    both = seen[:, :, None] & seen[:, None, :]
    part = kernel[:, None] * both
    rows: NDArray[np.intp] = np.arange(len(grid.cells))
    part[:, :, rows, rows] += np.where(seen, settings.noise[:, None, None] ** 2 / np.maximum(patterns, 1.0), 1.0)
    inverse = np.asarray(np.linalg.inv(part), dtype=np.float64) * both
    members = np.bincount(which, minlength=len(patterns)).astype(np.float64)
    centre, sums, products = _moments(grid, which, len(patterns))
    gram = np.einsum("p,gpij->gij", members, inverse)
    gram[:, rows, rows] += ~(repeats > 0).any(axis=0)
    right = (inverse @ sums[..., None])[..., 0].sum(axis=1)
    uncertain = np.asarray(np.linalg.inv(gram), dtype=np.float64)
    common = (uncertain @ right[..., None])[..., 0]
    squares = inverse.reshape(len(own), -1) @ products.reshape(-1) - (right * common).sum(axis=1)
    logs = np.linalg.slogdet(part)[1] @ members + np.linalg.slogdet(gram)[1]
    toward = (cross[:, None, None, :] @ inverse)[:, :, 0]
    left = np.maximum(own[:, None] - (toward * cross[:, None]).sum(axis=-1), 0.0)
    return _Solved(logs, np.maximum(squares, 0.0), common + centre, uncertain, toward[:, which], left[:, which])


def _moments(grid: Grid, which: NDArray[np.intp], count: int) -> tuple[Floats, Floats, Floats]:
    """Return the cells' means [cells], and by pattern the sums and products of values less those means.

    Cells' common values are free, so taking the means off changes nothing but the rounding.
    """
    import numpy as np

    there = np.isfinite(grid.values)
    centre = np.where(there, grid.values, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    values = np.where(there, grid.values - centre, 0.0)
    member = np.eye(count)[:, which]
    return centre, member @ values, (member[:, :, None] * values).transpose(0, 2, 1) @ values


def _means(solved: _Solved, grid: Grid, keep: NDArray[np.intp]) -> Floats:
    import numpy as np

    apart = np.where(grid.repeats > 0, np.nan_to_num(grid.values)[None] - solved.common[keep][:, None, :], 0.0)
    return np.einsum("gvc,gvc->gv", solved.pull[keep], apart)


def _kernel(grid: Grid, settings: Settings) -> tuple[Floats, Floats, Floats]:
    """Return covariances of a gap between cells, of cells with the target, and its variance at the target."""
    import numpy as np

    places = np.concatenate([grid.places, np.zeros((1, 2))]) - grid.anchor
    fades, which = np.unique(settings.fade, return_inverse=True)
    trend = np.stack([_drifted(places, float(fade)) for fade in fades])[which]
    apart = np.abs(places[:, None] - places[None]).sum(axis=-1)
    wiggle = np.exp(-apart / REACH)
    full = 1.0 + settings.trend[:, None, None] ** 2 * trend + settings.wiggle[:, None, None] ** 2 * wiggle
    return full[:, :-1, :-1], full[:, :-1, -1], full[:, -1, -1]


def _drifted(places: Floats, fade: float) -> Floats:
    """Return covariances of gaps whose slope along size and tokens wanders back to 0, at rate ``fade`` per e-fold.

    Measured from the cell nearest to the target, at the origin. Increments are stationary, so the covariance follows
    from the variance of an increment (integrated Ornstein-Uhlenbeck process).
    """
    import numpy as np

    if fade == 0:
        return places @ places.T

    def variance(step: Floats) -> Floats:
        long = fade * np.abs(step)
        return (2.0 / fade**2) * (long + np.expm1(-long)).sum(axis=-1)

    own = variance(places)
    return 0.5 * (own[:, None] + own[None, :] - variance(places[:, None] - places[None]))


def _believed(settings: Settings, scales: Floats, grid: Grid) -> Floats:
    """Return the logarithm of the belief in each setting before the gaps were seen; repeats speak on the noise."""
    import numpy as np

    drifts = np.maximum(settings.trend, 1e-12)
    share = (np.log(drifts / TREND[0]) / TREND[1]) ** 2
    units = (np.log(drifts * scales / (TREND_UNITS[0] * grid.unit)) / TREND_UNITS[1]) ** 2
    wiggle = (np.log(settings.wiggle / WIGGLE[0]) / WIGGLE[1]) ** 2
    noise = settings.noise * scales
    near = (np.log(noise / grid.noise) / NOISE_WIDTH) ** 2
    # a variance from repeats: chi-square
    measured = grid.noise_df * (2 * np.log(noise) + (grid.noise / noise) ** 2)
    return -0.5 * (np.where(settings.trend > 0, share + units, 0.0) + wiggle + near + measured)
