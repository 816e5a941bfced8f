"""What small runs say a large one would reach, as a record."""

from __future__ import annotations

import math

from pilotlight.spec import Record
from pilotlight.stats.estimate import Estimate


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


class Spread(Record):
    """The predictive distribution: log loss is ``centre`` plus ``scale`` times Student's t of ``df``."""

    centre: float
    scale: float
    df: float

    def quantile(self, share: float) -> float:
        """Return the loss that lies above ``share`` (0 to 1) of the distribution."""
        from scipy.special import stdtrit

        return math.exp(self.centre + self.scale * float(stdtrit(self.df, share)))

    def below(self, loss: float) -> float:
        """Return the probability of a loss below ``loss``; 0 for a loss of 0 or less."""
        from scipy.special import stdtr

        return float(stdtr(self.df, (math.log(loss) - self.centre) / self.scale)) if loss > 0 else 0.0

    def estimate(self, *, level: float, unit: str, n: int, method: str, cautions: tuple[str, ...] = ()) -> Estimate:
        """Return the median loss with its central interval of ``level``."""
        return Estimate(
            value=math.exp(self.centre), low=self.quantile((1 - level) / 2), high=self.quantile((1 + level) / 2),
            level=level, unit=unit, n=n, method=method, cautions=cautions,
        )  # fmt: skip


class Prediction(Record):
    """The loss that a run of the target's size would reach.

    ``reach``, ``reach_parameters`` and ``reach_tokens`` are the target divided by the largest fitted value. ``components``
    are relative standard deviations: ``seed_noise`` (of one run), ``parameter``, ``model`` (laws that hold out badly)
    and ``law_spread`` (laws that disagree); ``spread`` joins them, with honest degrees of freedom.
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
    spread: Spread
    hold_out: tuple[HoldOut, ...]
    cells: int
    runs: int
    cautions: tuple[str, ...] = ()
    curve: tuple[CurvePoint, ...] = ()

    @property
    def degrees_of_freedom(self) -> float:
        """Degrees of freedom of the interval."""
        return self.spread.df

    def probability_below(self, target: float) -> float:
        """Return the probability that the run ends below ``target`` (same unit as ``loss``)."""
        return self.spread.below(target)
