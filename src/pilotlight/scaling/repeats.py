"""Where a further run of the same set-up would end, from a few repeats that differ by their seed only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from pilotlight.errors import EvidenceError
from pilotlight.stats.estimate import Estimate

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

CENTRE = 0.002
"""Relative standard deviation between repeats that is thought likeliest: published final losses show 0.00006 to
0.003, scores of benchmarks 0.003 to 0.03."""
WIDTH = 2.5
"""Standard deviation of the log of that: 95 % of set-ups lie within a factor of 130 either way.

So weak that the repeats decide: at four of them the interval is nearly Student's t. It rules out the absurd only,
such as the 16 standard deviations that Student's t asks for on either side of two repeats.
"""
SETTINGS = 161
"""Values of the noise over which is averaged."""


@final
@dataclass(frozen=True, slots=True)
class Repeats:
    """What repeats say of a further run: log value given the noise is normal about ``centre``, noise has ``weights``.

    ``spreads`` are standard deviations of a further log value, its own noise and that of ``centre`` together.
    """

    centre: float
    spreads: Floats
    weights: Floats
    runs: int
    logged: bool

    def below(self, value: float) -> float:
        """Return the probability that a further run ends below ``value``."""
        from scipy.special import ndtr  # pyright: ignore[reportMissingTypeStubs]

        if self.logged and value <= 0:
            return 0.0
        place = math.log(value) if self.logged else value
        return float(self.weights @ ndtr((place - self.centre) / self.spreads))

    def half(self, level: float) -> float:
        """Return half the width of the central interval of ``level``, on the scale of the noise."""
        from scipy.optimize import brentq  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
        from scipy.special import ndtr  # pyright: ignore[reportMissingTypeStubs]

        def outside(log_half: float) -> float:
            return float(self.weights @ ndtr(-math.exp(log_half) / self.spreads)) - (1 - level) / 2

        low, high = math.log(float(self.spreads.min())) - 5.0, math.log(float(self.spreads.max())) + 5.0
        return math.exp(float(brentq(outside, low, high, xtol=1e-9)))  # pyright: ignore[reportArgumentType]

    def estimate(self, level: float = 0.95, unit: str = "") -> Estimate:
        """Return where a further run would end, with the interval of ``level``."""
        half = self.half(level)
        low, high = self.centre - half, self.centre + half
        value = self.centre
        if self.logged:
            value, low, high = math.exp(value), math.exp(low), math.exp(high)
        notes = ("one run tells nothing about the noise between runs: the interval is what set-ups usually show",)
        return Estimate(
            value=value, low=low, high=high, level=level, unit=unit, n=self.runs,
            method="further run of the same set-up: Student's t with a weak prior on the noise",
            cautions=notes if self.runs == 1 else (),
        )  # fmt: skip


def repeats(values: Sequence[float]) -> Repeats:
    """Return what ``values``, the results of runs of one set-up, say of a further one.

    Positive values enter by their logarithm. The noise has a weak log-normal prior (``CENTRE``, ``WIDTH``) that is
    integrated over numerically; with a flat prior on the log this would be Student's t with one degree less than runs.

    Raises:
        EvidenceError: there are no values, or one is not finite.
    """
    import numpy as np

    if not len(values) or not all(math.isfinite(value) for value in values):
        raise EvidenceError(
            f"repeats of a set-up are {list(values)!r}; expected one or more finite numbers, one per run"
        )
    logged = min(values) > 0
    numbers = np.log(values) if logged else np.asarray(values, dtype=np.float64)
    # without logarithms the noise is relative to the size of the values
    size = 1.0 if logged else max(float(np.abs(numbers).max()), 1e-12)
    runs = len(numbers)
    centre = float(numbers.mean())
    squares = float(((numbers - centre) ** 2).sum())
    # a grid wide enough for the prior and for any noise the repeats may show
    own = math.sqrt(max(squares, (1e-9 * size) ** 2) / max(runs - 1, 1))
    ends = [math.log(CENTRE * size) - 4 * WIDTH, math.log(CENTRE * size) + 4 * WIDTH]
    if runs > 1:
        ends = [min(ends[0], math.log(own) - 3), max(ends[1], math.log(own) + 3)]
    logs = np.linspace(ends[0], ends[1], SETTINGS)
    prior = -0.5 * ((logs - math.log(CENTRE * size)) / WIDTH) ** 2
    score = prior - (runs - 1) * logs - 0.5 * squares * np.exp(-2 * logs)
    weights = np.exp(score - score.max())
    spreads = np.exp(logs) * math.sqrt(1 + 1 / runs)
    return Repeats(centre, spreads, weights / weights.sum(), runs, logged)
