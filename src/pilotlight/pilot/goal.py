"""What the full run has to reach, on what, and within which limits: declared before the first trial."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from pilotlight.spec import Spec
from pilotlight.units import Count, Money, Seconds, Share

THIS_MACHINE = "this machine"


class FullRun(Spec):
    """Size of the expensive run that the pilot decides about."""

    parameters: Count = Field(default=3e6, gt=0)
    """Non-embedding parameters."""
    tokens: Count = Field(default=60e6, gt=0)
    """Training tokens, repeats of the same text included."""


class Hardware(Spec):
    """What the full run would be trained on."""

    accelerator: str = THIS_MACHINE
    """``this machine`` (measured by the pilot), or a name of the price table such as H100 or H200."""
    count: int = Field(default=1, ge=1)
    """Number of accelerators."""
    price_per_hour: Money | None = None
    """US dollars per accelerator and hour; taken from the dated table where left out."""
    receipt: Path | None = None
    """File that ``pilot doctor --bench`` left on the target hardware; without it a foreign throughput is assumed."""


class Limits(Spec):
    """What the full run may take at most; None for no limit."""

    cost: Money | None = None
    time: Seconds | None = None


class Goal(Spec):
    """The criterion of the launch."""

    metric: Literal["bits_per_byte", "nats_per_token", "perplexity"] = "bits_per_byte"
    """Measured on the held-out text; only bits per byte compare across tokenizers."""
    target: float = Field(gt=0)
    """What the full run has to reach, in the unit of the metric (lower is better)."""
    confidence: Share = 0.8
    """Probability of reaching the target that a GO asks for."""
    full_run: FullRun = FullRun()
    hardware: Hardware = Hardware()
    limits: Limits = Limits()
