"""What a training carries from step to step, and what it is given once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, final

import torch
from torch import nn

from pilotlight.events import Watcher
from pilotlight.record.incident import Incident
from pilotlight.tokens.batches import Batches
from pilotlight.tokens.journal import Entry, read_entry
from pilotlight.tokens.order import Length
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.guard import Detector
from pilotlight.train.log import MetricsLog
from pilotlight.train.machine import Machine
from pilotlight.train.plan import Plan

Check = Callable[[nn.Module, int], Mapping[str, float]]
"""A benchmark in the loop: (model, updates done) -> named numbers, a pure function of both."""


@final
@dataclass(frozen=True)
class Job:
    """What one training is given: it does not change from step to step."""

    plan: Plan
    machine: Machine
    tokens: Tokens
    out: Path
    watch: Watcher
    fingerprint: str
    losses: Callable[[torch.Tensor], torch.Tensor]
    """Rows of ids [batch context+1] -> float32 nats [batch context]."""
    checks: tuple[Check, ...] = ()

    @cached_property
    def batches(self) -> Batches:
        """The training batches as the seed gives them."""
        training, split = self.plan.train, self.tokens.split("train")
        mix = training.order.mix(split, Length(self.plan.steps, training.rows, training.context))
        seed = self.plan.seed_of("batches")
        return Batches(split, training.rows, training.context, seed, packing=training.packing, mix=mix)

    def stream(self, journal: Sequence[Entry]) -> Batches:
        """Return the training batches as the journal changed them."""
        return self.batches.with_journal(journal)

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.out / "checkpoints"


@final
@dataclass
class State:
    """What changes from step to step; a checkpoint holds all of it."""

    model: nn.Module
    optimiser: torch.optim.Optimizer
    detector: Detector
    log: MetricsLog
    batches: Batches
    step: int = 0
    """Updates done."""
    tokens: int = 0
    """Tokens predicted so far, without padding."""
    journal: list[Entry] = field(default_factory=list[Entry])
    """What changed the stream of batches beyond the seed."""
    incidents: list[Incident] = field(default_factory=list[Incident])
    """Faults of the training itself; the same on every machine that resolves alike."""

    def facts(self) -> dict[str, Any]:
        """Return all but the tensors, as JSON types."""
        return {
            "step": self.step,
            "tokens": self.tokens,
            "detector": self.detector.state(),
            "journal": [entry.model_dump() for entry in self.journal],
            "incidents": [incident.model_dump() for incident in self.incidents],
        }

    def restore(self, facts: dict[str, Any]) -> None:
        """Take over what ``facts`` returned in an earlier process."""
        self.step = facts["step"]
        self.detector.restore(facts["detector"])
        self.journal = [read_entry(entry) for entry in facts["journal"]]
        # A checkpoint from before there was padding does not say.
        self.tokens = facts.get("tokens", self.step * self.batches.rows * self.batches.context)
        self.incidents = [Incident.model_validate(incident) for incident in facts["incidents"]]
