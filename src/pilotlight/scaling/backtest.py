"""Predictions held against published run tables: every task of a folder, and what it says source by source."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from pilotlight.errors import DataError, nearest
from pilotlight.events import Progress, silent
from pilotlight.scaling.tasks import KINDS, Task, TaskScore, read_tasks
from pilotlight.spec import Record
from pilotlight.stats.student import critical

FAILED = "failed with"
"""How the reason of a task begins at which a method broke."""
AVERAGED = ("error", "bias", "coverage", "half_width", "interval_score", "accuracy", "regret", "brier")


class SourceScore(Record):
    """What the tasks of one kind say of one source; means over its tasks, fractions, None where not meant."""

    source: str
    kind: str
    tasks: int
    abstained: int
    error: float | None
    bias: float | None
    coverage: float | None
    half_width: float | None
    interval_score: float | None
    accuracy: float | None
    regret: float | None
    brier: float | None


class KindScore(Record):
    """What the sources say of one kind of task, each source weighing the same."""

    kind: str
    sources: int
    means: dict[str, float]
    coverage_low: float | None
    """95 % interval of the coverage over sources, Student's t; None for fewer than two sources."""
    coverage_high: float | None


class Backtest(Record):
    """All tasks of a folder, and their means by source and by kind."""

    tasks: tuple[TaskScore, ...]
    sources: tuple[SourceScore, ...]
    kinds: tuple[KindScore, ...]


@cache
def _runner(kind: str) -> Callable[[Task], TaskScore]:
    return import_module(f"pilotlight.scaling.backtests.{kind}").run


def backtest(
    folder: Path,
    *,
    only: Iterable[str] = (),
    watch: Callable[[Any], None] = silent,
    told: Callable[[TaskScore], None] = silent,
) -> Backtest:
    """Return how every task of ``folder`` went; ``only`` names the sources to keep, none for all.

    ``told`` is given each score as soon as it is there.

    Raises:
        DataError: the folder is not of this shape, or has no source of a name in ``only``.
    """
    wanted = set(only)
    known = read_tasks(folder)
    sources = {task.source for task in known}
    for name in sorted(wanted - sources):
        raise DataError(
            f"{folder} has no source {name!r}; it has {', '.join(sorted(sources))}.{nearest(name, sources)}"
        )
    tasks = [task for task in known if not wanted or task.source in wanted]
    scores: list[TaskScore] = []
    for done, task in enumerate(tasks):
        watch(Progress("tasks", done, len(tasks), note=task.name))
        scores.append(_scored(task))
        told(scores[-1])
    watch(Progress("tasks", len(tasks), len(tasks)))
    return summarised(scores)


def _scored(task: Task) -> TaskScore:
    """Return how ``task`` went; one that a method fails at counts as abstained, so that it does not hide the others."""
    run = _runner(task.kind)
    try:
        return run(task)
    except (ImportError, MemoryError):
        raise  # nothing that the table did
    except Exception as error:
        return TaskScore(
            source=task.source, task=task.name, kind=task.kind, n_pilot=len(task.pilots), n_target=len(task.targets),
            abstained=True, why=f"{FAILED} {type(error).__name__}: {error}",
            unchanged=task.unchanged if task.kind == "loss" else None,
        )  # fmt: skip


def summarised(scores: Sequence[TaskScore]) -> Backtest:
    """Return the scores with their means: over tasks within a source, over sources within a kind.

    An abstained loss task counts with the error of "no change" (``TaskScore.unchanged``), an abstained decision as half
    right.
    """
    groups: dict[tuple[str, str], list[TaskScore]] = {}
    for score in scores:
        groups.setdefault((score.kind, score.source), []).append(score)
    sources = tuple(_source(source, kind, members) for (kind, source), members in groups.items())
    kinds = tuple(_kind(kind, [one for one in sources if one.kind == kind]) for kind in KINDS)
    return Backtest(tasks=tuple(scores), sources=sources, kinds=tuple(one for one in kinds if one.sources))


def _source(source: str, kind: str, scores: Sequence[TaskScore]) -> SourceScore:
    means = {name: _mean([_counted(score, name) for score in scores]) for name in AVERAGED}
    abstained = sum(score.abstained for score in scores)
    return SourceScore(source=source, kind=kind, tasks=len(scores), abstained=abstained, **means)


def _counted(score: TaskScore, name: str) -> float | None:
    if score.abstained and name == "accuracy" and score.kind == "decision":
        return 0.5
    if score.abstained and name == "error":
        return score.unchanged
    return getattr(score, name)


def _kind(kind: str, sources: Sequence[SourceScore]) -> KindScore:
    found = {name: _mean([getattr(source, name) for source in sources]) for name in AVERAGED}
    covers = [source.coverage for source in sources if source.coverage is not None]
    low = high = None
    if len(covers) > 1:
        mean = math.fsum(covers) / len(covers)
        variance = math.fsum((cover - mean) ** 2 for cover in covers) / (len(covers) - 1)
        half = critical(0.95, len(covers) - 1) * math.sqrt(variance / len(covers))
        low, high = max(0.0, mean - half), min(1.0, mean + half)
    means = {name: value for name, value in found.items() if value is not None}
    return KindScore(kind=kind, sources=len(sources), means=means, coverage_low=low, coverage_high=high)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else None
