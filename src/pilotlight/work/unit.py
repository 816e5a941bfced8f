"""A unit of work, and what came of it.

A unit is a call by name with JSON arguments, so that any process on any machine can do it. It is idempotent: it
writes into its own folder, whose manifest comes last, and goes on where an earlier attempt stopped. Losing a worker
therefore loses time, never a result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, final

from pydantic import Field

from pilotlight.spec import Record

_LEAST_SILENCE = 600.0
_SILENCE_PER_COST = 30.0


@final
class Unit(Record):
    """One call to make: ``call(arguments, watch)`` returns a mapping of JSON types."""

    key: str = Field(min_length=1)
    """Name of the unit, unique among those that run together."""

    call: str = Field(pattern=r"^[\w.]+:\w+$")
    """The function, as ``module:function``; its signature is ``(arguments: dict, watch: Watcher) -> dict``."""

    arguments: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What the function is given: JSON types only."""

    cost: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    """Seconds expected on one worker; 0 where nobody knows."""

    timeout: float | None = Field(default=None, gt=0.0)
    """Seconds without an event after which the unit counts as hung; None derives a generous limit from ``cost``."""

    @property
    def limit(self) -> float | None:
        """Seconds of silence allowed, or None for any: ten minutes and thirty times the cost, if the cost is known."""
        if self.timeout is not None:
            return self.timeout
        return _LEAST_SILENCE + _SILENCE_PER_COST * self.cost if self.cost > 0 else None


@final
class Outcome(Record):
    """What came of a unit; every unit of a run has exactly one."""

    unit: Unit
    status: Literal["finished", "failed", "killed"]
    """``failed``: the unit raised an error. ``killed``: every worker that took it died or hung."""

    result: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What the function returned; empty unless finished."""

    error: str = ""
    """One sentence: what went wrong; empty if finished."""

    error_class: str = ""
    """Name of the exception's class, such as ``DataError``; empty unless failed."""

    traceback: str = ""
    """Path of the file with the traceback of an unexpected exception; empty otherwise."""

    output: str = ""
    """The last lines (up to 4 kB) that the unit printed; empty if finished."""

    attempts: int = Field(ge=1)
    """How many workers took the unit."""


@final
@dataclass(frozen=True, slots=True)
class UnitStarted:
    """A worker took a unit: the first ``attempt`` is 1."""

    key: str
    attempt: int


@final
@dataclass(frozen=True, slots=True)
class UnitEvent:
    """A unit told its watcher something: ``event`` is what it sent."""

    key: str
    event: Any


@final
@dataclass(frozen=True, slots=True)
class UnitRetried:
    """The worker of a unit was lost, for ``cause``; the unit will be started again."""

    key: str
    attempt: int
    cause: str
