"""Trials as units of work, one or several of one shape: what a worker process calls."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pilotlight.errors import PilotlightError
from pilotlight.events import Note, Progress, Watcher
from pilotlight.pilot.pruning import Bounds, Pruned
from pilotlight.record.incident import Incident


def run(arguments: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Train the plan in ``arguments`` and return what it comes to on the pilot's task, if it has one: else the folder says all.

    ``arguments`` holds ``plan``, ``machine``, ``tokens`` (folder) and ``out`` (folder), and may hold ``task`` (file),
    ``metric``, and ``prune``: what it has to meet on its way, see ``pruning.Bounds``.
    """
    from pilotlight.tokens.tokens import Tokens
    from pilotlight.train.loop import train
    from pilotlight.train.machine import Machine
    from pilotlight.train.plan import Plan

    bounds = Bounds.of(arguments)
    try:
        bounds.look_back()
        train(
            Plan.model_validate(arguments["plan"]), Machine.model_validate(arguments["machine"]),
            Tokens.open(Path(arguments["tokens"])), Path(arguments["out"]), watch=bounds.watching(_relay(watch)),
        )  # fmt: skip
    except Pruned as end:
        return end.told()
    return _on_task(arguments)


def run_together(arguments: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Train several trials of one shape in one program; return what came of each, as fields of an ``Outcome`` by its key.

    ``arguments["trials"]`` holds what ``run`` takes and the ``key``, for each slot; null where it stays empty.
    """
    from pilotlight.tokens.tokens import Tokens
    from pilotlight.train.machine import Machine
    from pilotlight.train.plan import Plan
    from pilotlight.train.together import Member, train_together

    slots: list[dict[str, Any] | None] = arguments["trials"]
    trials = [trial for trial in slots if trial is not None]
    tokens = {folder: Tokens.open(Path(folder)) for folder in sorted({str(trial["tokens"]) for trial in trials})}
    share = _Progress([trial["key"] for trial in trials], watch)

    def member(trial: dict[str, Any]) -> Member:
        return Member(
            Plan.model_validate(trial["plan"]), tokens[trial["tokens"]], Path(trial["out"]),
            _relay(share.of(trial["key"]), f"{trial['key']}: "),
        )  # fmt: skip

    members = [None if trial is None else member(trial) for trial in slots]
    found = train_together(members, Machine.model_validate(trials[0]["machine"]), watch=watch)
    return {trial["key"]: _told(trial, end) for trial, end in zip(slots, found, strict=True) if trial is not None}


def _relay(watch: Watcher, name: str = "") -> Watcher:
    def relay(event: Any) -> None:
        # progress and notes alone: an event for every step of every trial would be most of what a small trial does
        if isinstance(event, Progress):
            watch(event)
        elif isinstance(event, Note):
            watch(Note(name + event.text, event.level))
        elif isinstance(event, Incident):
            watch(Note(f"{name}step {event.step}: {event.kind}: {event.seen}; {event.action}", "warning"))

    return relay


def _on_task(arguments: dict[str, Any]) -> dict[str, Any]:
    if "task" not in arguments:
        return {}
    from pilotlight.pilot.task_goal import scored

    metric = str(arguments["metric"])
    return {"metrics": {metric: scored(Path(arguments["out"]), Path(arguments["task"]), metric)}}


def _told(trial: dict[str, Any], end: Any) -> dict[str, Any]:
    if not isinstance(end, BaseException):
        try:
            return {"status": "finished", "result": _on_task(trial)}
        except Exception as error:
            end = error
    if isinstance(end, PilotlightError):
        text = str(end)
    else:
        traceback.print_exception(end, file=sys.stderr)
        text = "".join(traceback.format_exception_only(end))
    return {"status": "failed", "error": " ".join(text.split())[:2000], "error_class": type(end).__name__}


class _Progress:
    """Tells the progress of several trials as one."""

    def __init__(self, keys: Sequence[str], watch: Watcher) -> None:
        self._watch = watch
        self._parts = dict.fromkeys(keys, (0.0, 0.0))

    def of(self, key: str) -> Watcher:
        """Return what watches one of the trials."""

        def watch(event: Any) -> None:
            if not isinstance(event, Progress):
                self._watch(event)
                return
            self._parts[key] = (event.done, event.total or 0.0)
            total = max(total for _, total in self._parts.values()) * len(self._parts)
            self._watch(Progress(event.task, sum(done for done, _ in self._parts.values()), total, event.unit))

        return watch
