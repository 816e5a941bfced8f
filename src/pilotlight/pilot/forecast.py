"""What the full run is predicted to reach: as declared, and with the adopted variants in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pilotlight.errors import EvidenceError
from pilotlight.pilot.full import Counted
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.decision import Finding, Target
from pilotlight.record.forecast import Prediction, Predictive
from pilotlight.record.results import Results
from pilotlight.scaling.predict import predict
from pilotlight.scaling.table import ladder_points
from pilotlight.stats.metric import metric
from pilotlight.stats.student import critical
from pilotlight.units import show_count

SAME_SIZE = 0.05  # relative difference in parameters that needs no caution


@dataclass(frozen=True)
class Forecast:
    """The prediction for the full run as declared, and with the adopted variants; ``why`` if there is none."""

    baseline: Prediction | None
    target: Target
    why: str = ""


def with_changes(base: Predictive, adopted: Sequence[Finding], level: float) -> Predictive:
    """Return the predictive distribution moved by the adopted effects and widened by what is not known about them.

    Squares of half-widths at ``level`` add up: errors of few degrees of freedom reach further than their size says. What is
    read further inside than ``level``, as the probability to reach a target, errs towards one half.
    """
    shifts = [item.carried.log_effect if item.carried else math.log1p(item.comparison.effect.value) for item in adopted]
    known = [item.carried or item.comparison for item in adopted]
    reach = critical(level, base.df)
    added = [one.error * critical(level, one.degrees) / reach for one in known]
    return base.model_copy(update={"centre": base.centre + math.fsum(shifts), "scale": math.hypot(base.scale, *added)})


def _resized(base: Counted, full: Counted) -> tuple[str, ...]:
    """Return a caution where the changes make the model noticeably larger or smaller."""
    if abs(full.parameters / base.parameters - 1) <= SAME_SIZE:
        return ()
    return (
        f"with the changes the model has {show_count(full.parameters)} parameters instead of "
        f"{show_count(base.parameters)}; what that does is taken to be part of the measured effect",
    )


def forecast(pilot: Pilot, results: Results, adopted: Sequence[Finding], base: Counted, full: Counted) -> Forecast:
    """Return what the full run is predicted to reach, at the size that it really has.

    ``base`` is the run as declared, ``full`` the one with the adopted variants in it.
    """
    goal, level = pilot.goal, pilot.rule.level
    unit = metric(goal.metric).unit
    target = Target(
        metric=goal.metric, unit=unit, threshold=goal.target, parameters=base.parameters, tokens=base.plan.tokens,
        prediction=None, probability=None, baseline=None, baseline_probability=None,
    )  # fmt: skip
    if goal.is_of_task:
        why = f"laws foretell losses, and {goal.metric} of a task does not follow one: variants are compared, nothing is foretold"
        return Forecast(None, target, why)
    try:
        found = predict(
            ladder_points(results, goal.metric), base.parameters, base.plan.tokens, flops=base.flops, level=level,
            unit=unit,
        )  # fmt: skip
    except EvidenceError as error:
        return Forecast(None, target, str(error))
    loss, chance = found.loss, found.probability_below(goal.target)
    told = {"baseline": loss, "baseline_probability": chance, "prediction": loss, "probability": chance}
    if adopted:
        names = ", ".join(item.variant for item in adopted)
        spread = with_changes(found.spread, adopted, level)
        method = (
            f"{loss.method}; times the effect of {names}, drawn towards none and carried to the full size by its trend"
        )
        cautions = (*loss.cautions, *_resized(base, full))
        told["prediction"] = spread.estimate(level=level, unit=unit, n=loss.n, method=method, cautions=cautions)
        told["probability"] = spread.below(goal.target)
    return Forecast(found, target.model_copy(update=told))
