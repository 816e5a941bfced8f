"""Tasks of kind ``loss``: the final loss of large runs from small ones, or their score in two steps, through the loss."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from pilotlight.errors import EvidenceError
from pilotlight.scaling.intervals import judged
from pilotlight.scaling.points import Point
from pilotlight.scaling.predict import Study
from pilotlight.scaling.task_score import NoForecast, ScorePoint, forecast_scores
from pilotlight.scaling.tasks import Task, TaskRow, TaskScore

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEVEL = 0.95
SIZES = ("n_params", "n_params_nonemb")
RECIPE = ("lr", "batch_tokens")
"""Columns that set recipes apart within a cell: the best of them counts, as when a rate is tuned."""


TOKENS_PER_PARAMETER = 20.0
"""Stands in where a table tells sizes alone (Hoffmann et al. 2022)."""


def is_sized(rows: Iterable[TaskRow]) -> bool:
    """Return whether some row tells the size of its model; else all are taken to be of one model."""
    return any(row.positive(*SIZES) for row in rows)


def point(row: TaskRow, metric: str, *, sized: bool) -> Point | None:
    """Return one row as a point; None where it has no loss above 0 or its scale is not known.

    ``sized``: other rows of the table tell sizes, so that one without is not known, rather than of the one model there is.
    """
    loss, flops = row.positive(metric), row.positive("flops")
    size, tokens = row.positive(*SIZES), row.positive("tokens")
    if size is None:
        size = flops / 6 / tokens if flops and tokens else None if sized else 1.0
    if tokens is None and size is not None:
        tokens = flops / 6 / size if flops else TOKENS_PER_PARAMETER * size
    if loss is None or not size or not tokens:
        return None
    return Point(
        parameters=size, tokens=tokens, loss=loss, flops=flops, seed=row.facts.get("seed", ""),
        recipe="|".join(row.facts.get(name, "") for name in RECIPE),
        unique_tokens=row.positive("unique_tokens"), batch_tokens=row.positive("batch_tokens"),
    )  # fmt: skip


def points(rows: Iterable[TaskRow], metric: str, *, sized: bool) -> list[Point]:
    """Return the rows that are runs with a loss and a scale; ``sized`` as ``point`` takes it."""
    return [found for row in rows if (found := point(row, metric, sized=sized)) is not None]


def run(task: Task) -> TaskScore:
    """Return how the targets' losses were foretold; abstained where the pilots cannot carry a prediction."""
    if task.better == "higher":
        return _scores(task)
    sized = is_sized(task.rows)
    pilots, targets = points(task.pilots, task.metric, sized=sized), points(task.targets, task.metric, sized=sized)
    told = TaskScore(source=task.source, task=task.name, kind=task.kind, n_pilot=len(pilots), n_target=len(targets))
    if not targets:
        return told.model_copy(
            update={"abstained": True, "why": f"no target has a {task.metric} above 0 and a known scale"}
        )
    told = told.model_copy(update={"unchanged": task.unchanged})
    try:
        study = Study.of(pilots)
        bounds = _foretold(study, targets)
    except EvidenceError as error:
        return told.model_copy(update={"abstained": True, "why": str(error)})
    lows, values, highs = zip(*bounds, strict=True)
    return told.model_copy(update=judged(values, lows, highs, [target.loss for target in targets])._asdict())


def _scores(task: Task) -> TaskScore:
    """Return how the targets' scores were foretold: their loss from the pilots, then the score at that loss."""
    sized = is_sized(task.rows)
    pilots = [(row, score) for row in task.pilots if (score := row.number(task.metric)) is not None and score >= 0]
    targets = [
        (found, score)
        for row in task.targets
        # relative to a score of 0 nothing has an error
        if (score := row.positive(task.metric)) is not None and (found := point(row, "loss", sized=sized)) is not None
    ]
    told = TaskScore(source=task.source, task=task.name, kind=task.kind, n_pilot=len(pilots), n_target=len(targets))
    if not targets or not pilots:
        lacking = "pilot" if targets else "target"
        return told.model_copy(
            update={"abstained": True, "why": f"no {lacking} has a {task.metric} above 0 and a loss"}
        )
    truth = [score for _, score in targets]
    told = told.model_copy(update={"unchanged": task.unchanged})
    unit = 100.0 if max(*truth, *(score for _, score in pilots)) > 1 else 1.0
    known = [
        ScorePoint(loss, score / unit, row.run) for row, score in pilots if (loss := row.positive("loss")) is not None
    ]
    try:
        study = Study.of(points((row for row, _ in pilots), "loss", sized=sized))
        bounds: list[tuple[float, float, float]] = []
        for target, _ in targets:
            found = forecast_scores(known, study.spread(_place(study, target))[0], level=LEVEL)
            if isinstance(found, NoForecast):
                return told.model_copy(update={"abstained": True, "why": found.why})
            bounds.append((unit * found.low, unit * found.value, unit * found.high))
    except EvidenceError as error:
        return told.model_copy(update={"abstained": True, "why": str(error)})
    lows, values, highs = zip(*bounds, strict=True)
    return told.model_copy(update=judged(values, lows, highs, truth)._asdict())


def _place(study: Study, target: Point) -> Floats:
    return study.logs(
        target.parameters, target.tokens, flops=target.compute, unique_tokens=target.unique_tokens,
        batch_tokens=target.batch_tokens,
    )  # fmt: skip


def _foretold(study: Study, targets: list[Point]) -> list[tuple[float, float, float]]:
    """Return low, value and high for every target; targets within the table are asked for, too."""
    found: dict[tuple[float | None, ...], tuple[float, float, float]] = {}
    bounds: list[tuple[float, float, float]] = []
    for target in targets:
        key = (target.parameters, target.tokens, target.compute, target.unique_tokens, target.batch_tokens)
        if key not in found:
            spread, _ = study.spread(_place(study, target))
            low, high = spread.bounds(LEVEL)
            found[key] = (low, spread.value, high)
        bounds.append(found[key])
    return bounds
