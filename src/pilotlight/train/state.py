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
from pilotlight.spec import Record
from pilotlight.tokens.batches import Batches
from pilotlight.tokens.journal import Entry, read_entry
from pilotlight.tokens.order import Length
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.asked import Losses
from pilotlight.train.clipping import Clipper
from pilotlight.train.diagnose import Setting
from pilotlight.train.examples import Vocabulary
from pilotlight.train.expected import Expected
from pilotlight.train.guard import Detector
from pilotlight.train.log import MetricsLog
from pilotlight.train.machine import Machine
from pilotlight.train.plan import Plan
from pilotlight.train.sparsity._pruner import Pruner

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
    losses: Losses
    """What is asked -> float32 nats [batch context]."""
    checks: tuple[Check, ...] = ()
    expected: Expected | None = None
    """What the loss is expected to do."""

    @cached_property
    def setting(self) -> Setting:
        """What a diagnosis has to know of the plan."""
        return Setting.of(self.plan, self.tokens.vocabulary)

    @cached_property
    def batches(self) -> Batches:
        """The training batches as the seed gives them."""
        training, split = self.plan.train, self.tokens.split("train")
        counts = training.counts(self.plan.steps)
        mix = training.order.mix(split, Length(self.plan.steps, training.rows, training.context, counts))
        seed = self.plan.seed_of("batches")
        found = Batches(split, training.rows, training.context, seed, packing=training.packing, mix=mix, counts=counts)
        sample = self.plan.reseed.get("sample")
        return found if sample is None else found.with_sample(sample)

    def stream(self, journal: Sequence[Entry]) -> Batches:
        """Return the training batches as the journal changed them."""
        return self.batches.with_journal(journal)

    @property
    def vocabulary(self) -> Vocabulary:
        """Which ids there are."""
        return Vocabulary(self.tokens.vocabulary, self.tokens.end, self.tokens.vocabulary)

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.out / "checkpoints"


@final
class Rate(Record):
    """From ``step`` on the schedule is multiplied by ``factor``, reached over ``rewarm`` steps."""

    step: int
    factor: float
    rewarm: int

    def at(self, step: int) -> float:
        """Return what the schedule is multiplied by at a step from ``self.step`` on."""
        return self.factor * min(1.0, (step - self.step + 1) / self.rewarm)


@final
class Rewound(Record):
    """One rewind: the run left its way at the step ``left`` and goes on another way from the step ``branch``."""

    left: int
    to: int
    """Step of the checkpoint it went back to; the steps from there to ``branch`` are trained again as they were."""
    branch: int
    skipped: int
    """Batches taken out of the stream from ``branch`` on."""
    factor: float
    """What the learning rate is multiplied by since then."""


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
    rates: list[Rate] = field(default_factory=list[Rate])
    """What changed the learning rate beyond the schedule; the last one that has begun holds."""
    rewinds: list[Rewound] = field(default_factory=list[Rewound])
    """Rewinds so far; a rewind itself does not undo them."""
    clipper: Clipper | None = None
    """What bounds the gradient; None: nothing does."""
    pruner: Pruner | None = None
    """What keeps weights at zero; None: nothing does."""
    incidents: list[Incident] = field(default_factory=list[Incident])
    """Faults of the training itself; the same on every machine that resolves alike."""

    def rate(self) -> float:
        """Return what the schedule is multiplied by at this step: 1 unless a rewind lowered the learning rate."""
        begun = [rate for rate in self.rates if rate.step <= self.step]
        return begun[-1].at(self.step) if begun else 1.0

    def facts(self) -> dict[str, Any]:
        """Return all but the tensors, as JSON types."""
        return {
            "step": self.step,
            "tokens": self.tokens,
            "detector": self.detector.state(),
            "clipper": self.clipper.state() if self.clipper else {},
            "journal": [entry.model_dump() for entry in self.journal],
            "rates": [rate.model_dump() for rate in self.rates],
            "rewinds": [rewind.model_dump() for rewind in self.rewinds],
            "incidents": [incident.model_dump() for incident in self.incidents],
        }

    def restore(self, facts: dict[str, Any]) -> None:
        """Take over what ``facts`` returned in an earlier process."""
        self.step = facts["step"]
        self.detector.restore(facts["detector"])
        if self.clipper and (remembered := facts.get("clipper")):  # older checkpoints have none
            self.clipper.restore(remembered)
        self.journal = [read_entry(entry) for entry in facts["journal"]]
        self.rates = [Rate.model_validate(rate) for rate in facts.get("rates", ())]
        self.rewinds = [Rewound.model_validate(rewind) for rewind in facts.get("rewinds", ())]
        # A checkpoint from before there was padding does not say.
        self.tokens = facts.get("tokens", self.step * self.batches.rows * self.batches.context)
        self.incidents = [Incident.model_validate(incident) for incident in facts["incidents"]]
