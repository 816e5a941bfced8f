"""One trial as a unit of work: what a worker process calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pilotlight.events import Note, Progress, Watcher
from pilotlight.record.incident import Incident


def run(arguments: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Train the plan in ``arguments`` and return nothing more: the run folder says it all.

    ``arguments`` holds ``plan``, ``machine``, ``tokens`` (folder) and ``out`` (folder).
    """
    from pilotlight.tokens.tokens import Tokens
    from pilotlight.train.loop import train
    from pilotlight.train.machine import Machine
    from pilotlight.train.plan import Plan

    plan = Plan.model_validate(arguments["plan"])

    def relay(event: Any) -> None:
        # progress and notes alone: an event for every step of every trial would be most of what a small trial does
        if isinstance(event, Progress | Note):
            watch(event)
        elif isinstance(event, Incident):
            watch(Note(f"step {event.step}: {event.kind}: {event.seen}; {event.action}", "warning"))

    train(
        plan, Machine.model_validate(arguments["machine"]), Tokens.open(Path(arguments["tokens"])),
        Path(arguments["out"]), watch=relay,
    )  # fmt: skip
    return {}
