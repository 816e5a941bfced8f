"""Trials of a search that are given up on their way, by what was fixed before their round began."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self, cast, final

from pilotlight.events import Watcher
from pilotlight.pilot.course import Course, between
from pilotlight.pilot.pruners import Prune
from pilotlight.record.results import Row
from pilotlight.record.run import METRICS, Run, read_lines
from pilotlight.spec import discover

_LOSSES = ("bits_per_byte", "nats_per_token", "perplexity", "masked_nats_per_token")
_COURSE = ("bits_per_byte", "masked_nats_per_token")  # the one that trials are compared in, of those a model has


@final
class Pruned(Exception):
    """A trial is given up: says why.

    Args:
        why: in words.
        metrics: of its last evaluation.
        course: share of the steps and loss of every evaluation.
    """

    def __init__(self, why: str, metrics: dict[str, float], course: list[tuple[float, float]]) -> None:
        super().__init__(why)
        self.metrics = metrics
        self.course = course

    def told(self) -> dict[str, Any]:
        """Return what the trial's unit of work comes to."""
        return {"pruned": str(self), "metrics": self.metrics, "course": [list(point) for point in self.course]}


def demands(prune: Prune, earlier: Sequence[Course], numbers: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Return by name what trials have to meet, as arguments of their units; without those that have to meet nothing.

    Args:
        prune: how trials are given up.
        earlier: of the trials of earlier rounds.
        numbers: of the trials in the search, by name.
    """
    found = {name: prune.demand(earlier, number) for name, number in numbers.items()}
    return {name: {"prune": {"kind": prune.kind, **told}} for name, told in found.items() if told is not None}


@final
class Courses:
    """The courses of trials in a folder of runs; each is read once."""

    def __init__(self, runs: Path) -> None:
        self._runs = runs
        self._known: dict[str, Course] = {}

    def of(self, row: Row) -> Course | None:
        """Return the course of a trial that finished or was given up; None of another."""
        if row.status == "pruned":
            return Course.through(row.course)
        if row.status != "finished":
            return None
        if row.name not in self._known:
            run = Run.open(self._runs / row.name)
            facts = run.facts
            points = [
                (line["step"] / facts.steps, line[facts.metric]) for line in run.evaluations() if facts.metric in line
            ]
            self._known[row.name] = Course.through(points, facts.metrics[facts.metric])
        return self._known[row.name]


def likely(given_up: Course, finished: Sequence[tuple[Course, float]]) -> float | None:
    """Return what a trial that was given up counts as: what finished trials with its last loss on the way came to.

    Its last loss is no result, for losses still fall; nor is it as bad as a failure. Between two finished trials the value is
    interpolated; worse on the way than all of them it counts as the worst, and better than all as the best on the way.

    Args:
        given_up: the course of the trial.
        finished: courses of finished trials, and what they came to, the smaller the better.
    """
    if not given_up.shares:
        return None
    share, loss = given_up.shares[-1], given_up.losses[-1]
    pairs = sorted((there, end) for course, end in finished if (there := course.at(share)) is not None)
    if not pairs:
        return None
    if loss >= pairs[-1][0]:
        return max(end for _, end in pairs)
    return between([there for there, _ in pairs], [end for _, end in pairs], max(loss, pairs[0][0]))


@final
class Bounds:
    """What one trial has to meet on its way, and how it has done so far."""

    def __init__(self, demand: Mapping[str, Any] | None, steps: int, out: Path) -> None:
        """Take what ``Prune.demand`` returned with its ``kind``, the steps of the training, and its folder."""
        self._demand, self._steps, self._out = demand, steps, out
        self._losses: dict[int, float] = {}

    @classmethod
    def of(cls, arguments: Mapping[str, Any]) -> Self:
        """Return the bounds in the arguments of a trial's unit; without ``prune`` there are none."""
        return cls(arguments.get("prune"), int(arguments["plan"]["steps"]), Path(arguments["out"]))

    def look_back(self) -> None:
        """Judge what an earlier process evaluated before it was killed: it may have ended just before giving up.

        Raises:
            Pruned: it should have.
        """
        if self._demand is not None and (self._out / METRICS).is_file() and (self._out / "plan.json").is_file():
            for line in read_lines(self._out / METRICS):
                if line.get("kind") == "evaluation":
                    self._judge(line["step"], {name: line[name] for name in _LOSSES if name in line})

    def watching(self, watch: Watcher) -> Watcher:
        """Return ``watch``, which now also gives the trial up at an evaluation that is out of bounds."""
        if self._demand is None:
            return watch
        from pilotlight.train.events import Evaluated

        def judge(event: Any) -> None:
            watch(event)
            if isinstance(event, Evaluated):
                self._judge(event.step, event.metrics)

        return judge

    def _judge(self, step: int, metrics: Mapping[str, float]) -> None:
        if self._demand is None or step >= self._steps:
            return
        # what a rewind or a kill undid is evaluated again; a loss that was no number is not in the run's log
        name = next((name for name in _COURSE if name in metrics), _COURSE[0])
        loss = metrics.get(name, math.nan)
        self._losses = {at: value for at, value in self._losses.items() if at < step} | {step: loss}
        points = [(at / self._steps, value) for at, value in self._losses.items()]
        kind = cast(type[Prune], discover(Prune.folder)[self._demand["kind"]])
        why = kind.verdict(self._demand, Course.through(points))
        if why:
            raise Pruned(
                f"given up at step {step} of {self._steps}: {loss:.4f} {name.replace('_', ' ')}, {why}",
                {key: value for key, value in metrics.items() if math.isfinite(value)},
                [point for point in points if math.isfinite(point[1])],
            )
