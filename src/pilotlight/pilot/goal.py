"""What the full run has to reach, on what, and within which limits: declared before the first trial."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from pilotlight.record.expense import THIS_MACHINE
from pilotlight.spec import Spec
from pilotlight.units import Count, Money, Seconds, Share

TASK_METRICS = ("accuracy", "accuracy_by_total", "f1")
"""Metrics that are measured on a task, whatever the objective and the tokenizer."""


class FullRun(Spec):
    """Size of the expensive run that the pilot decides about."""

    parameters: Count = Field(default=3e6, gt=0)
    """Non-embedding parameters."""
    tokens: Count = Field(default=60e6, gt=0)
    """Training tokens, repeats of the same text included."""


class Hardware(Spec):
    """What the full run would be trained on."""

    accelerator: str = THIS_MACHINE
    """``this machine`` (measured by the pilot), or a name of the price table such as H100, RTX 4090 or TPU v5p."""
    count: int = Field(default=1, ge=1)
    """Number of accelerators."""
    price_per_hour: Money | None = None
    """US dollars per accelerator and hour; taken from the dated table where left out."""
    receipt: Path | None = None
    """File that ``pilot doctor --bench`` left on the target hardware; without it a foreign throughput is assumed."""
    table: Path | None = None
    """YAML or JSON file with rows of the price table of your own: a name, and the figures that differ."""
    power: float | None = Field(default=None, gt=0)
    """Watts of one accelerator (or of this machine) at full load; taken from the table where left out."""
    failures_per_device_day: float | None = Field(default=None, ge=0)
    """Unexpected interruptions per accelerator and day; a published range where left out."""

    @model_validator(mode="after")
    def _one_machine(self) -> Self:
        if self.accelerator == THIS_MACHINE and self.count > 1 and self.receipt is None:
            raise ValueError(
                f"count is {self.count}, but {THIS_MACHINE!r} is one machine and is timed as it is; leave count out, or "
                "name the accelerator, or give a receipt that `pilot doctor --bench` left on those devices"
            )
        return self


class Limits(Spec):
    """What the full run may take at most; None for no limit."""

    cost: Money | None = None
    time: Seconds | None = None


class Goal(Spec):
    """The criterion of the launch."""

    metric: Literal[
        "bits_per_byte", "nats_per_token", "perplexity", "masked_nats_per_token", "accuracy", "accuracy_by_total", "f1"
    ] = "bits_per_byte"
    """Measured on the held-out text; only bits per byte compare across tokenizers. The last three are measured on ``task``,
    and compare across tokenizers and objectives."""
    task: Path | None = None
    """File of a task (see ``pilot score``) on which every trial is scored, where the metric is that of a task."""
    target: float = Field(gt=0, allow_inf_nan=False)
    """What the full run has to reach, in the unit of the metric: at most, or at least where larger is better."""
    confidence: Share = 0.8
    """Probability of reaching the target that a GO asks for."""
    margin: float | None = Field(default=None, ge=1, le=64)
    """Multiple of the learning rate that a short training of the full run has to survive (`pilot margin`). null: none is asked
    for, and one that was measured has to be 1."""
    full_run: FullRun = FullRun()
    hardware: Hardware = Hardware()
    limits: Limits = Limits()

    @property
    def is_of_task(self) -> bool:
        """Whether the metric is measured on a task."""
        return self.metric in TASK_METRICS
