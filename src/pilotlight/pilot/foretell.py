"""What runs of other sizes than the planned one would reach, for the alternatives of a cost."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pilotlight.errors import EvidenceError
from pilotlight.pilot.alternatives import Foretell
from pilotlight.pilot.forecast import Forecast, with_changes
from pilotlight.pilot.full import Counted
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.decision import Finding
from pilotlight.record.results import Results
from pilotlight.scaling.points import Point
from pilotlight.scaling.predict import Study
from pilotlight.scaling.table import ladder_points, runs_of
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.metric import metric


@lru_cache(maxsize=4)
def study_of(points: tuple[Point, ...]) -> Study:
    """Return the study of the points; one decision asks it several times."""
    return Study.of(points)


def from_runs(source: Path, name: str = "", counted: bool = False) -> Foretell:
    """Return a forecast by the runs of a pilot's folder or a CSV; ``name`` is the metric, or the column of the loss.

    ``counted`` says that the FLOPs of what is asked are counted from a model as a pilot counts its own; others are left
    out, and taken to be what the table's dearest run is off 6 x parameters x tokens.

    Raises:
        DataError: the runs cannot be read.
        EvidenceError: no run has the metric.
    """
    table = runs_of(source, name)
    note = f"predicted from {len(table.points)} runs, {table.counts}"

    def ask(parameters: float, tokens: float, flops: float) -> tuple[Estimate | None, str]:
        compute = flops if counted and source.is_dir() else None
        try:
            return study_of(table.points).predict(parameters, tokens, flops=compute, unit=table.unit).loss, note
        except EvidenceError as error:
            return None, str(error)

    return ask


def from_pilot(
    pilot: Pilot, results: Results, adopted: Sequence[Finding], found: Forecast, base: Counted, full: Counted
) -> Foretell:
    """Return a forecast by the pilot's own ladder, with the adopted changes in it; of the planned run it is ``found``."""
    name, level = pilot.goal.metric, pilot.rule.level

    def ask(parameters: float, tokens: float, flops: float) -> tuple[Estimate | None, str]:
        if (parameters, tokens) == (full.parameters, full.plan.tokens) or found.baseline is None:
            return found.target.prediction, found.why or "the prediction of this decision"
        try:
            one = study_of(ladder_points(results, name)).predict(
                parameters * base.parameters / full.parameters, tokens,
                flops=flops * base.flops / full.flops, level=level, unit=metric(name).unit,
            )  # fmt: skip
        except EvidenceError as error:
            return None, str(error)
        if not adopted:
            return one.loss, "predicted from the pilot's ladder"
        spread = with_changes(one.spread, adopted, level)
        loss = spread.estimate(
            level=level, unit=one.loss.unit, n=one.loss.n, method=one.loss.method, cautions=one.loss.cautions
        )
        return loss, "predicted from the pilot's ladder, with the adopted changes"

    return ask
