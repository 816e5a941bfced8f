"""A branch off a run at its peak rate: what the run did, then a decay."""

from __future__ import annotations

import math
from typing import Literal, Self, final

from pydantic import Field, model_validator

from pilotlight.train.schedules import Schedule
from pilotlight.units import Share


@final
class Cooldown(Schedule):
    """The rates of a ``constant`` or ``wsd`` run up to a step, then a decay to the branch's own end (Haegele et al. 2024).

    Source: arXiv 2405.18392, section 4: one long run and a short branch for each length cost about half of a run for each.
    The branch is a plan of its own, with its whole length as its steps; until ``first`` all its rates are the trunk's.
    So it may go on from the trunk's checkpoint at ``first``, with the number of the step, the optimiser and the
    stream of batches kept, and ends where it would have ended if trained from the start.
    """

    warmup: Share = Field(default=0.05, le=0.5)
    """The trunk's share of steps over which the rate rises from near 0."""
    trunk_steps: int | None = Field(default=None, ge=1)
    """The trunk's number of steps, which its warmup is a share of; null: this training's own."""
    first: int | None = Field(default=None, ge=0)
    """Updates before the decay begins: the step of the checkpoint that is branched off. null: four fifths of the steps."""
    shape: Literal["linear", "sqrt"] = "sqrt"
    """How it falls: in a line to ``final``, or as 1 - sqrt(x)."""
    final: Share = 0.0
    """Share of the peak at the very end."""

    @model_validator(mode="after")
    def _branches_off_the_trunk(self) -> Self:
        if self.trunk_steps is not None and self.first is not None and self.first > self.trunk_steps:
            raise ValueError(f"first: {self.first} lies beyond the trunk's {self.trunk_steps} steps; expected one of "
                             "them, at which it has a checkpoint (machine.milestone_every)")  # fmt: skip
        return self

    def check(self, steps: int) -> None:
        """Return if the decay begins before a training of ``steps`` updates ends.

        Raises:
            ValueError: it does not.
        """
        if self.first is not None and self.first >= steps:
            raise ValueError(f"train.schedule.first: the decay begins after {self.first} updates, but the branch has {steps} "
                             "steps in all, the trunk's included; expected more steps or an earlier step")  # fmt: skip

    def factor(self, step: int, steps: int) -> float:
        """Return the trunk's rise and plateau up to ``first``, then the fall."""
        rise = min(1.0, (step + 1) / max(1, math.ceil(self.warmup * (self.trunk_steps or steps))))
        first = math.floor(0.8 * steps) if self.first is None else self.first
        done = min(1.0, max(0.0, (step - first) / max(1, steps - first)))
        fall = 1.0 - (done if self.shape == "linear" else math.sqrt(done))
        return rise * (self.final + (1.0 - self.final) * fall)
