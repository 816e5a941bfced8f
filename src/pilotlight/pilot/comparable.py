"""Whether what a pilot measures says the same of all its variants; refused where it does not, with the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pilotlight.errors import ConfigError
from pilotlight.pilot.goal import TASK_METRICS, Goal

if TYPE_CHECKING:
    from pilotlight.pilot.pilot import Setup

_BY_TASK = "set goal.metric to accuracy and goal.task to a file of multiple choice, on which every trial is then scored"


def check_goal(goal: Goal, baseline: Setup) -> None:
    """Check that the metric can be measured: on a task that is there, or on held-out text by the baseline's objective.

    Raises:
        ConfigError: it cannot.
    """
    if goal.is_of_task:
        if goal.task is None:
            raise ConfigError(
                f"goal.metric: {goal.metric!r} is measured on a task; set goal.task to its file (see `pilot score`), or "
                "goal.metric to bits_per_byte"
            )
        if not goal.task.is_file():
            raise ConfigError(
                f"goal.task: {goal.task} is not a file; expected JSON lines of a task (see `pilot score`)"
            )
        if goal.target >= 1:
            raise ConfigError(f"goal.target: {goal.target:g} of {goal.metric} cannot be reached; expected less than 1")
        return
    if goal.task is not None:
        raise ConfigError(
            f"goal.task: {goal.metric} is measured on held-out text; leave goal.task out, or set goal.metric to one of "
            f"{', '.join(TASK_METRICS)}"
        )
    objective = baseline.train.objective
    if (goal.metric == "masked_nats_per_token") != (objective.metric == "masked_nats_per_token"):
        raise ConfigError(
            f"goal.metric: with train.objective {objective.kind!r} there are no {goal.metric}; set it to {objective.metric}, "
            f"or {_BY_TASK}"
        )


def check_variant(goal: Goal, name: str, baseline: Setup, setup: Setup) -> None:
    """Check that a variant can be trained and compares with the baseline in the metric.

    Raises:
        ConfigError: it does not.
    """
    objective = setup.train.objective
    if refusal := objective.refusal(setup.model.pattern or (setup.model.mixer,)):
        raise ConfigError(f"variants.{name}: {refusal}" if setup is not baseline else refusal)
    if goal.is_of_task:
        return
    if objective.kind != baseline.train.objective.kind:
        raise ConfigError(
            f"variants.{name}: changes train.objective from {baseline.train.objective.kind} to {objective.kind}, and losses of "
            f"different objectives do not compare, {goal.metric} neither; {_BY_TASK}."
        )
    if setup.tokenizer != baseline.tokenizer and goal.metric != "bits_per_byte":
        way = "use goal.metric: bits_per_byte" if objective.metric == "bits_per_byte" else _BY_TASK
        raise ConfigError(f"variants.{name}: changes the tokenizer, so {goal.metric} does not compare; {way}.")
