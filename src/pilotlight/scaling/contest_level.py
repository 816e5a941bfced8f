"""Where the average variant will be at the target: the curve that all variants share."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pilotlight.scaling.contest_cells import Grid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FADES = (0.0, 0.1, 0.2, 0.3, 0.45, 0.6)
"""Exponents of size and tokens with which the curve may fall towards its floor."""
DRIFT = 0.015
"""How wrong the curve is believed to be per decade of extrapolation, as a share of the value."""


def level(grid: Grid, common: Floats) -> tuple[float, float]:
    """Return the common value at the target and its standard deviation, from the cells' common values [cells].

    A straight line in faded compute, fitted with weights that fall with the distance from the target, averaged over
    ``FADES``. With one cell nothing can be said of the curve: its value stands, with the drop a decade usually brings.
    """
    import numpy as np

    x = grid.places.sum(axis=1) / 2
    decades = np.abs(2 * x) / math.log(10)
    size = 1.0 if grid.logged else max(float(np.median(np.abs(common))), 1e-12)
    nearest = int(decades.argmin())
    if len(common) < 2 or np.ptp(x) < 0.1:
        return float(common[nearest]), size * 10 * DRIFT * max(float(decades[nearest]), 0.1)
    noise = (grid.noise + DRIFT * size * (decades - decades.min() + 0.1)) ** 2
    fits: list[tuple[float, float, float]] = []
    for fade in FADES:
        t = x if fade == 0 else -np.expm1(-fade * x) / fade
        columns = np.stack([np.ones_like(t), t], axis=1)
        information = columns.T @ (columns / noise[:, None])
        # a weak belief that the line is flat keeps two cells at one place from blowing it up
        information[1, 1] += 1.0 / (size * 1.0) ** 2
        covariance = np.asarray(np.linalg.inv(information), dtype=np.float64)
        fitted: Floats = covariance @ (columns.T @ (common / noise))
        missed: Floats = (common - columns @ fitted) ** 2 / noise
        fits.append((float(fitted[0]), float(covariance[0, 0]), -0.5 * float(missed.sum())))
    levels, errors, scores = np.array(fits).T
    weights = np.exp(scores - scores.max())
    weights /= weights.sum()
    mean = float(weights @ levels)
    variance = float(weights @ (errors + (levels - mean) ** 2))
    drift = DRIFT * size * float(decades.min())
    return mean, math.sqrt(variance + drift**2)
