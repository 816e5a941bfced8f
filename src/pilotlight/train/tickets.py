"""Settings of a search for lottery tickets; no torch here."""

from __future__ import annotations

from typing import final

from pydantic import Field

from pilotlight.spec import Spec
from pilotlight.units import Share


@final
class Tickets(Spec):
    """Iterative magnitude pruning with rewinding (Frankle et al. 2020, arXiv 1912.05671), with a control beside each ticket."""

    rounds: int = Field(default=5, ge=1, le=50)
    """Times that weights are pruned and the rest is trained again."""
    prune: Share = Field(default=0.2, gt=0, lt=1)
    """Share of the weights that are left that goes in a round: the smallest of all matrices inside blocks together."""
    rewind: Share = Field(default=0.05, lt=1)
    """Share of the steps of the dense training whose state every ticket begins from; 0: the random start itself."""
    seeds: int = Field(default=1, ge=1, le=50)
    """Searches with seeds of their own, from the plan's seed on; without a second one there is no interval."""

    def rewind_step(self, steps: int) -> int:
        """Return the step whose state tickets begin from; 0: the start."""
        return min(steps - 1, max(1, round(self.rewind * steps))) if self.rewind else 0

    def trainings(self) -> int:
        """Return how many trainings there are: the dense one, and ticket and control of every round."""
        return self.seeds * (1 + 2 * self.rounds)
