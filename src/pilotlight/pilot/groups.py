"""Trials that one worker trains in one program: which, as a unit of work, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from pilotlight.work.unit import Outcome, Unit

_T = TypeVar("_T")
ALONE = "pilotlight.pilot.trial:run"
TOGETHER = "pilotlight.pilot.trial:run_together"


def grouped(trials: Sequence[_T], most: int, shape: Callable[[_T], str]) -> list[tuple[_T, ...]]:
    """Return the trials in groups of one shape, up to ``most`` in each, by their order and nothing else.

    All trials of a round are given, finished ones too: so a group, and with it what its trials come to, is the same after
    a kill.
    """
    if most == 1:
        return [(trial,) for trial in trials]
    groups: list[list[_T]] = []
    unfilled: dict[str, list[_T]] = {}
    for trial in trials:
        mark = shape(trial)
        if mark not in unfilled or len(unfilled[mark]) == most:
            unfilled[mark] = []
            groups.append(unfilled[mark])
        unfilled[mark].append(trial)
    return [tuple(group) for group in groups]


def unit_of(units: Sequence[Unit | None]) -> Unit:
    """Return one unit for the trials of a group, each given as a unit of its own; None: its slot stays empty."""
    there = [unit for unit in units if unit is not None]
    if len(units) == 1:
        return there[0]
    trials = [None if unit is None else {"key": unit.key, **unit.arguments} for unit in units]
    more = f" and {len(there) - 1} more" if len(there) > 1 else ""
    return Unit(
        key=there[0].key + more, call=TOGETHER, arguments={"trials": trials}, cost=sum(unit.cost for unit in there)
    )


def outcomes(outcome: Outcome) -> Iterator[tuple[str, Outcome]]:
    """Yield the key of each trial of a unit with what came of it."""
    unit = outcome.unit
    if unit.call != TOGETHER:
        yield unit.key, outcome
        return
    for trial in unit.arguments["trials"]:
        if trial is None:
            continue
        told: dict[str, Any] = {}
        if outcome.status == "finished":
            told = outcome.result[trial["key"]]
        yield trial["key"], outcome.model_copy(update=told)
