"""Seed tasks: a few repeats of one set-up are given, the others are to lie in the interval."""

from __future__ import annotations

from pilotlight.scaling.intervals import judged
from pilotlight.scaling.repeats import repeats
from pilotlight.scaling.tasks import Task, TaskScore

LEVEL = 0.95


def run(task: Task) -> TaskScore:
    """Return how the interval from the pilots' repeats does on the other repeats."""
    given = [value for row in task.pilots if (value := row.number(task.metric)) is not None]
    truth = [value for row in task.targets if (value := row.number(task.metric)) is not None]
    blank = TaskScore(source=task.source, task=task.name, kind=task.kind, n_pilot=len(given), n_target=len(truth))
    if not given or not truth:
        lacking = "pilots" if not given else "targets"
        return blank.model_copy(update={"abstained": True, "why": f"no {task.metric} among the {lacking}"})
    found = repeats(given).estimate(LEVEL)
    count = len(truth)
    return blank.model_copy(
        update=judged([found.value] * count, [found.low] * count, [found.high] * count, truth)._asdict()
    )
