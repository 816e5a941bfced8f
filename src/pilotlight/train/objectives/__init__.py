"""What the model is trained to predict, one objective per file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from pilotlight.spec import Part

if TYPE_CHECKING:
    import torch

Losses = Callable[[Any, "torch.Tensor"], "torch.Tensor"]
"""(model, rows ``[batch context+1]`` of ids) -> float32 nats ``[batch context]``, one per predicted position."""


class Objective(Part):
    """A training objective. The loss of a batch is the mean of its nats over all positions."""

    folder: ClassVar[str] = "pilotlight.train.objectives"

    @abstractmethod
    def build(self) -> Losses:
        """Return the function from (model, rows) to nats per position, a pure function of both."""
