"""Asynchronous successive halving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

from pydantic import Field

from pilotlight.pilot.course import Course
from pilotlight.pilot.pruners import Prune
from pilotlight.pilot.pruners._rungs import climb, rungs, stopped
from pilotlight.units import Share


@final
class Halving(Prune):
    """At shares 1/f, 1/f^2, ... of the steps only the best 1/f of the trials go on: ASHA (Li et al. 2020), round by round.

    A trial is held against those of earlier rounds that reached the rung, those that were given up there among them; nobody
    waits for the others of its round, and who was given up does not come back. Assumes that trials keep their order about
    from the first rung on, and gives up all but 1/f of them even where they hardly differ.
    """

    factor: float = Field(default=3.0, ge=1.5, le=20)
    """How many times fewer trials go on at each rung, and how many times further the next rung is."""
    first: Share = Field(default=0.1, ge=0.001, lt=1)
    """Share of the steps before which there is no rung. Between two evaluations losses are interpolated, and a rung before the
    first evaluation is passed over."""
    least: int = Field(default=5, ge=1)
    """Trials at a rung from which on others are given up there."""

    def demand(self, earlier: Sequence[Course], number: int) -> dict[str, Any] | None:
        """Return the loss that a trial needs at each rung."""
        del number
        found = climb(earlier, rungs(self.factor, self.first), self.factor, self.least)
        return {"rungs": found} if found else None

    @classmethod
    def verdict(cls, demand: Mapping[str, Any], course: Course) -> str:
        """Return at which rung since the evaluation before the trial fell behind."""
        return stopped(demand["rungs"], course)
