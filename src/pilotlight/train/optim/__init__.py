"""Optimisers, one per file. ``plan.train.optim.kind`` is the file's name."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from pilotlight.model.parametrisation import Role
from pilotlight.spec import Part

if TYPE_CHECKING:
    import torch


class Optim(Part):
    """Settings of an optimiser. Multipliers for single parameters come from the model (``weight.Scaling``)."""

    folder: ClassVar[str] = "pilotlight.train.optim"

    lr: float = Field(default=3e-3, gt=0, allow_inf_nan=False)
    """Peak learning rate at the model's base shape; the schedule scales it over the steps."""
    weight_decay: float = Field(default=0.1, ge=0, allow_inf_nan=False)
    """Decoupled weight decay, times the learning rate, at each step."""
    decayed: tuple[Role, ...] = (Role.MATRIX, Role.OUTPUT)
    """Roles of the parameters that decay; embeddings and vectors do not (OLMo 2, arXiv 2501.00656, section 3)."""

    @abstractmethod
    def build(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return a torch optimiser over ``groups.parameter_groups(model, self)``; each group keeps its ``peak`` rate."""
