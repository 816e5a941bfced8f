"""Hyperband: brackets of successive halving that begin at different rungs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, final

from pydantic import Field

from pilotlight.pilot.course import Course
from pilotlight.pilot.pruners import Prune
from pilotlight.pilot.pruners._rungs import climb, rungs, stopped
from pilotlight.units import Share

_GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples modulo 1 spread evenly, however many of them are taken


@final
class Hyperband(Prune):
    """As ``halving``, but a share of the trials meets its first rung later, and some meet none (Li et al. 2018).

    A hedge against trials that begin badly and end well, paid with steps. With K rungs there are K + 1 brackets; bracket b
    leaves the first b rungs out. Of the trials, shares of f^s / (s + 1), where s counts the rungs that are left, fall into each,
    so that all brackets take about as many steps. At a rung a trial is held against the trials of all brackets that reached it:
    in a search of tens of trials its own bracket would hold too few.
    """

    factor: float = Field(default=3.0, ge=1.5, le=20)
    """How many times fewer trials go on at each rung, and how many times further the next rung is."""
    first: Share = Field(default=0.1, ge=0.001, lt=1)
    """Share of the steps before which there is no rung."""
    least: int = Field(default=5, ge=1)
    """Trials at a rung from which on others are given up there."""

    def bracket(self, number: int) -> int:
        """Return how many rungs the trial of this number leaves out, which follows from the number alone."""
        count = len(rungs(self.factor, self.first))
        weights = [self.factor ** (count - skipped) / (count - skipped + 1) for skipped in range(count + 1)]
        mark = (number * _GOLDEN) % 1.0 * math.fsum(weights)
        for skipped, weight in enumerate(weights):
            if mark < weight:
                return skipped
            mark -= weight
        return count

    def demand(self, earlier: Sequence[Course], number: int) -> dict[str, Any] | None:
        """Return the loss that the trial of this number needs at each rung of its bracket."""
        shares, skipped = rungs(self.factor, self.first), self.bracket(number)
        found = climb(earlier, shares[skipped:], self.factor, self.least)
        return {"rungs": found, "bracket": skipped + 1, "brackets": len(shares) + 1} if found else None

    @classmethod
    def verdict(cls, demand: Mapping[str, Any], course: Course) -> str:
        """Return at which rung since the evaluation before the trial fell behind, and its bracket."""
        why = stopped(demand["rungs"], course)
        return why and f"{why}; it is of bracket {demand['bracket']} of {demand['brackets']}"
