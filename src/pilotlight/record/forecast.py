"""What small runs say a large one would reach, as a record."""

from __future__ import annotations

import math

from pilotlight.spec import Record
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.student import critical, tail


class LawFit(Record):
    """One law: its equation with numbers, what it says at the target, and how it did on hold-outs.

    The interval of ``at_target`` carries this law's parameter error only. ``hold_out_error`` is the root mean square
    relative error per decade over the hold-outs, None where the law could not be tried.
    """

    name: str
    equation: str
    parameters: dict[str, float]
    at_target: Estimate
    weight: float
    hold_out_error: float | None


class HoldOut(Record):
    """One back-test inside the table: cells left out, the laws fitted to the rest, and what came of it.

    ``predicted`` and ``observed`` are geometric means over the left-out cells; ``relative_error`` is the root mean
    square over them; ``decades`` is their mean distance from the fitted cells.
    """

    what: str
    fitted_cells: int
    held_out_cells: int
    decades: float
    predicted: float
    observed: float
    relative_error: float
    by_law: dict[str, float]


class CurvePoint(Record):
    """One point of the predicted path from the cheapest pilot to the target."""

    flops: float
    parameters: float
    tokens: float
    low: float
    value: float
    high: float


class Predictive(Record):
    """The predictive distribution: log loss is ``centre`` plus ``scale`` times Student's t of ``df``."""

    centre: float
    scale: float
    df: float

    @property
    def value(self) -> float:
        """The median loss."""
        return math.exp(self.centre)

    def bounds(self, level: float) -> tuple[float, float]:
        """Return the central interval of ``level`` for the loss."""
        half = critical(level, self.df) * self.scale
        return math.exp(self.centre - half), math.exp(self.centre + half)

    def below(self, loss: float) -> float:
        """Return the probability of a loss below ``loss``; 0 for a loss of 0 or less."""
        return tail((self.centre - math.log(loss)) / self.scale, self.df) if loss > 0 else 0.0

    def estimate(self, *, level: float, unit: str, n: int, method: str, cautions: tuple[str, ...] = ()) -> Estimate:
        """Return the median loss with its central interval of ``level``."""
        low, high = self.bounds(level)
        value = math.exp(self.centre)
        return Estimate(value=value, low=low, high=high, level=level, unit=unit, n=n, method=method, cautions=cautions)


class ScoreForecast(Record):
    """What a task would score at the predicted loss, or why that cannot be told."""

    name: str
    estimate: Estimate | None
    why: str = ""


class Prediction(Record):
    """The loss that a run of the target's size would reach.

    ``reach``, ``reach_parameters`` and ``reach_tokens`` are the target divided by the largest fitted value.
    ``components`` are relative standard deviations: ``seed_noise`` (of one run), ``parameter``, ``model`` (what
    hold-outs missed by beyond that) and ``law_spread`` (laws that disagree); ``spread`` joins them in quadrature.
    ``size`` says what ``parameters`` counts.
    """

    loss: Estimate
    parameters: float
    tokens: float
    flops: float
    size: str = "non-embedding parameters"
    laws: tuple[LawFit, ...]
    reach: float
    reach_parameters: float
    reach_tokens: float
    components: dict[str, float]
    spread: Predictive
    hold_out: tuple[HoldOut, ...]
    cells: int
    runs: int
    cautions: tuple[str, ...] = ()
    curve: tuple[CurvePoint, ...] = ()
    scores: tuple[ScoreForecast, ...] = ()
    """Scores of tasks at the predicted loss, where some were asked for."""

    @property
    def degrees_of_freedom(self) -> float:
        """Degrees of freedom of the interval."""
        return self.spread.df

    def probability_below(self, target: float) -> float:
        """Return the probability that the run ends below ``target`` (same unit as ``loss``)."""
        return self.spread.below(target)


class Optimum(Record):
    """The best size and tokens for a training budget, and how flat the optimum is.

    Sizes from ``flat_low`` to ``flat_high`` lose less than ``flat`` (a share of the loss) to the best. ``half_the_size``
    and ``twice_the_size`` are what those sizes lose at the same FLOPs; None where that was not searched.
    """

    flops: float
    parameters: Estimate
    tokens: Estimate
    loss: Estimate
    flat: float
    flat_low: float
    flat_high: float
    half_the_size: float | None
    twice_the_size: float | None
    cautions: tuple[str, ...] = ()
