"""How steeply a fitted law falls at a size, and how surely."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from pilotlight.scaling.predict import CALIBRATION
from pilotlight.stats.multiplier import Fall

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEP = 0.5
"""E-folds of compute on either side over which the slope is taken."""
LEAST = 0.05
"""Relative error of a slope that is always reckoned with: a law's curvature is never known."""


class Asked(Protocol):
    """Anything fitted that answers with log loss and its standard deviation at logs of sizes [points, axes]."""

    def at(self, logs: Floats) -> tuple[Floats, Floats]:
        """Return both, [points] each."""
        ...


def around(parameters: float, tokens: float) -> tuple[tuple[float, float], ...]:
    """Return three sizes, parameters and tokens, a step of compute apart on the ray on which both grow alike."""
    return tuple((parameters * math.exp(step / 2.0), tokens * math.exp(step / 2.0)) for step in (-STEP, 0.0, STEP))


def fall(fits: Sequence[Asked], places: Floats, weights: Floats | None = None) -> Fall | None:
    """Return by how much log loss falls per e-fold of compute, at the second of three places; None without a fit.

    The error joins the disagreement of the laws and the error of each: the variance of a straight line grows with the
    square of the distance by that of its slope, so the second difference of the variance tells it. Both count as much as
    they do in predictions, by what they were worth on published tables (``CALIBRATION``); in full they are about twice
    what slopes at the dearest pilots of those tables differ by from slopes that were fitted to the targets as well.

    Args:
        fits: the laws.
        places: logs of the three sizes of ``around``, as the fits want them [3, axes].
        weights: of the laws [fits], with sum 1; equal ones without.
    """
    import numpy as np

    if not fits:
        return None
    shares = np.full(len(fits), 1.0 / len(fits)) if weights is None else weights
    found = [fit.at(places) for fit in fits]
    slopes = np.array([float(mean[0] - mean[2]) / (2.0 * STEP) for mean, _ in found])
    bends = np.array([max(0.0, float(sd[0] ** 2 - 2.0 * sd[1] ** 2 + sd[2] ** 2)) for _, sd in found]) / (2.0 * STEP**2)
    value = float(shares @ slopes)
    laws, parameter = float(shares @ (slopes - value) ** 2), float(shares @ bends)
    known = CALIBRATION.widen**2 * (CALIBRATION.laws**2 * laws + CALIBRATION.parameter**2 * parameter)
    return Fall(value, math.sqrt(known + (LEAST * value) ** 2))
