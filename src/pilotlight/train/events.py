"""What a training tells its watcher, besides ``pilotlight.events`` and ``record.incident.Incident``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from pilotlight.record.diagnosis import Diagnosis
from pilotlight.record.incident import Incident

__all__ = ["Diagnosis", "Evaluated", "Finished", "Incident", "Probed", "Saved", "Started", "Stepped"]


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
    metric: str
    """What the model is measured in: bits_per_byte, or masked_nats_per_token where it cannot write."""
    metrics: dict[str, float]

    @property
    def value(self) -> float:
        """The loss, in ``metric``."""
        return self.metrics[self.metric]


@final
@dataclass(frozen=True, slots=True)
class Probed:
    """The layers were looked at in update ``step``: numbers by layer, ``blocks.0`` first."""

    step: int
    activation_rms: dict[str, float]
    """Root mean square of what each block gives to the next one."""
    gradient_norm: dict[str, float]
    """Before any clipping."""
    update_ratio: dict[str, float]
    """Norm of the update divided by the norm of the weights before it."""
    dead_units: dict[str, float]
    """Share of the units of each block's worst matrix that got no gradient from the whole batch."""


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
    metric: str
    value: float
    """Of all held-out text, in ``metric``."""
