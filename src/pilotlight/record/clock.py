"""What variants take by the clock: ``clock.json``, beside ``decision.json`` and apart from it.

Clock readings differ from one run of a pilot to the next. Nothing here enters a decision, and a decision of the same trials is
the same to the byte whatever the clock said; so what follows from the clock stands in a file of its own, which names the
decision it belongs to.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, final

from pilotlight.errors import RecordError
from pilotlight.manifest import sha256
from pilotlight.record.run import TIMING, Timing
from pilotlight.spec import Record
from pilotlight.stats.estimate import Estimate

NAME = "clock.json"
_ALIKE = ("device", "threads", "compile", "rows_at_once", "together")
"""What has to be the same of two trainings so that their clocks compare."""


class Timed(Record):
    """What one variant takes by the clock, by the rungs at which the clock can tell."""

    variant: str
    scale: str
    """The scale that the comparison's effect speaks of."""
    prices: dict[str, Estimate] = {}
    """Seconds of the variant's training over those of the baseline's."""
    time: dict[str, Estimate] = {}
    """How many times the variant's seconds the baseline needs to reach its loss."""
    money: dict[str, Estimate] = {}
    """How many times the variant's money, on the hardware of the full run."""
    time_trend: Estimate | None = None
    """Factor by which the multiplier in time changes per tenfold of FLOPs."""


class Clock(Record):
    """What the clock says of every variant of a decision."""

    decision: str
    """SHA-256 of the ``decision.json`` that it was made beside."""
    variants: tuple[Timed, ...] = ()

    def of(self, variant: str) -> Timed | None:
        """Return what is known of a variant, or None."""
        return next((one for one in self.variants if one.variant == variant), None)


@final
@dataclass(frozen=True, slots=True)
class Reading:
    """Seconds that one training took per token, evaluations not counted, and what it shared its machine with."""

    seconds_per_token: float
    company: tuple[Any, ...]
    together: int
    """Trainings in the same program, this one among them."""


def reading(folder: Path) -> Reading | None:
    """Return what the clock of the run in ``folder`` says; None where it says nothing."""
    try:
        timing = Timing.from_json((folder / TIMING).read_bytes())
        machine: Any = json.loads((folder / "machine.json").read_bytes())
    except (OSError, ValueError):
        return None  # clock readings are no reason to stop
    tokens = sum(one.tokens for one in timing.sessions)
    seconds = sum(one.seconds for one in timing.sessions)
    if not isinstance(machine, dict) or tokens <= 0 or seconds <= 0.0:
        return None
    told = cast("dict[str, Any]", machine)
    together = told.get("together")
    company = tuple(str(told.get(name)) for name in _ALIKE)
    return Reading(seconds / tokens, company, together if isinstance(together, int) else 1)


def read_clock(out: Path) -> Clock | None:
    """Return what stands in ``clock.json``; None where it is missing, damaged, or of another decision."""
    try:
        found = Clock.from_json((out / NAME).read_bytes())
        return found if found.decision == sha256(out / "decision.json") else None
    except (OSError, ValueError, RecordError):
        return None
