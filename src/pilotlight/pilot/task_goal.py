"""A pilot whose goal is a task: every finished trial is scored on its file."""

from __future__ import annotations

from pathlib import Path

from pilotlight.errors import ConfigError
from pilotlight.pilot.goal import Goal


def check_task(goal: Goal) -> None:
    """Check, before anything is trained, that the task can be read and has the metric of the goal.

    Raises:
        DataError: the file is no task.
        ConfigError: the metric is not one of this task.
    """
    if goal.task is None:
        return
    from pilotlight.evals.reading import load

    found = load(goal.task)
    names = [measure.name for measure in found.task.measures(found.items)]
    if goal.metric not in names:
        raise ConfigError(
            f"goal.metric: {goal.task} is a task of kind {found.task.kind}, which has no {goal.metric}; it has "
            f"{', '.join(name for name in names if name.startswith('acc') or name in ('precision', 'recall', 'f1')) or 'none'}"
        )


def scored(run: Path, task: Path, metric: str) -> float:
    """Return what a finished run comes to on a task; the scores of all items are kept beside the run.

    Raises:
        RecordError: the run or finished scores are damaged.
    """
    from pilotlight.evals.arms import find
    from pilotlight.evals.score import score
    from pilotlight.evals.settings import Scoring

    found = score(find([run]), [task], scoring=Scoring(threads=1)).scores[0]
    return next(one.estimate.value for one in found.measures if one.metric == metric)
