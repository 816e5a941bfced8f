"""What a training tells its watcher, besides ``pilotlight.events`` and ``record.incident.Incident``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from pilotlight.record.incident import Incident

__all__ = ["Evaluated", "Finished", "Incident", "Saved", "Started", "Stepped"]


@final
@dataclass(frozen=True, slots=True)
class Started:
    """A training begins, or goes on after ``step`` updates."""

    out: Path
    step: int
    steps: int
    parameters: int


@final
@dataclass(frozen=True, slots=True)
class Stepped:
    """One update was done: ``loss`` in nats per token before it, ``lr`` the peak rate times the schedule."""

    step: int
    tokens: int
    loss: float
    lr: float
    gradient_norm: float


@final
@dataclass(frozen=True, slots=True)
class Evaluated:
    """Fixed held-out text was scored after ``step`` updates."""

    step: int
    bits_per_byte: float
    nats_per_token: float


@final
@dataclass(frozen=True, slots=True)
class Saved:
    """A checkpoint was published."""

    step: int
    folder: Path


@final
@dataclass(frozen=True, slots=True)
class Finished:
    """The run is complete; its folder holds the model and the scores."""

    out: Path
    bits_per_byte: float
