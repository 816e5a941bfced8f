"""Curve tasks: whole loss curves of runs with other schedules, lengths or sizes than the pilots."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from pilotlight.errors import PilotlightError
from pilotlight.scaling.curve import Curve, pick, read_curves
from pilotlight.scaling.curve_forecast import CurveStudy
from pilotlight.scaling.intervals import Judged, judged
from pilotlight.scaling.tasks import Task, TaskRow, TaskScore

LEVEL = 0.95


def run(task: Task) -> TaskScore:
    """Return how the targets' curves are foretold from the pilots': figures over each curve, then over the targets."""
    import numpy as np

    pilots, targets = task.pilots, task.targets
    blank = TaskScore(source=task.source, task=task.name, kind=task.kind, n_pilot=len(pilots), n_target=len(targets))
    try:
        table = curves_of(task.folder / f"{task.source}_curves.csv", task.metric)
        given, asked = _curves(table, pilots), _curves(table, targets)
        study = CurveStudy.of(given, rates=all(curve.rates is not None for curve in (*given, *asked)))
        found = [study.predict(curve, level=LEVEL) for curve in asked]
    except PilotlightError as error:
        return blank.model_copy(update={"abstained": True, "why": str(error)})
    figures: list[Judged] = []
    for curve, one in zip(asked, found, strict=True):
        truth = curve.losses[np.isin(curve.steps, one.steps)]
        known = np.isfinite(truth) & (truth > 0)
        if known.any():
            columns = (column[known].tolist() for column in (one.values, one.low, one.high, truth))
            figures.append(judged(*columns))
    if not figures:
        return blank.model_copy(update={"abstained": True, "why": "no target has a loss to compare with"})
    means = np.array(figures).mean(axis=0).tolist()
    return blank.model_copy(update=dict(zip(Judged._fields, means, strict=True)))


@lru_cache(maxsize=2)
def curves_of(path: Path, metric: str) -> dict[str, Curve]:
    """Return the curves of a table, whose column of losses may be called otherwise than the task's metric."""
    return read_curves(path, prefer=metric)


def _curves(table: dict[str, Curve], rows: tuple[TaskRow, ...]) -> tuple[Curve, ...]:
    sizes = [row.positive("n_params") for row in rows]
    if None in sizes:
        sizes = [row.positive("n_params_nonemb") for row in rows]
    named = pick(table, (row.run for row in rows))
    return tuple(curve if size is None else replace(curve, size=size) for curve, size in zip(named, sizes, strict=True))
