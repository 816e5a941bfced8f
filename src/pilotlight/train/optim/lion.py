"""Lion: the sign of a momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.train.optim import Betas, Optim

if TYPE_CHECKING:
    import torch


@final
class Lion(Optim):
    """The sign of an interpolation between momentum and gradient (Chen et al. 2023, arXiv 2302.06675, algorithm 2).

    Half of Adam's state. Each weight moves by the whole rate, so the rate is three to ten times smaller than AdamW's and
    the decay as much larger (section 5 of the paper).
    """

    lr: float = Field(default=5e-4, gt=0, allow_inf_nan=False)
    """Peak learning rate at the model's base shape: how far every weight moves in a step."""
    weight_decay: float = Field(default=0.6, ge=0, allow_inf_nan=False)
    """Decoupled weight decay, times the learning rate, at each step."""
    betas: Betas = (0.9, 0.99)
    """Share of the momentum in the direction of the step, and in the next momentum."""

    def make(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return Lion over the model's parameter groups."""
        from pilotlight.train.groups import parameter_groups
        from pilotlight.train.optim._lion import LionRule

        return LionRule(parameter_groups(model, self), self.lr, self.betas)
