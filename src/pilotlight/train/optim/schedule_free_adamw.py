"""AdamW that needs no schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, final

from pydantic import Field

from pilotlight.train.optim import Optim

if TYPE_CHECKING:
    import torch


@final
class ScheduleFreeAdamW(Optim):
    """AdamW whose average over the steps is the result (Defazio et al. 2024, arXiv 2405.15682, algorithm 1).

    Pair it with ``schedule: constant``: the average does what a decay of the rate does, for runs of any length.
    Evaluation, checks and the final model read the average; gradients are taken beside it.
    """

    decay_rule: Literal["decoupled", "independent", "gradient"] = "decoupled"  # pyright: ignore[reportIncompatibleVariableOverride]
    """As of any optimiser, but not cautious: a decay moves the average as well. It is taken at the gradient's point."""
    momentum: float = Field(default=0.9, gt=0, lt=1)
    """How close to the average gradients are taken; longer runs bear 0.95 or 0.98."""
    beta: float = Field(default=0.95, ge=0, lt=1)
    """Decay of the second moment."""
    eps: float = Field(default=1e-8, gt=0)
    """Added to the root of the second moment."""

    def make(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return schedule-free AdamW over the model's parameter groups."""
        from pilotlight.train.groups import parameter_groups
        from pilotlight.train.optim._schedule_free import ScheduleFreeRule

        return ScheduleFreeRule(parameter_groups(model, self, eps=self.eps), self.lr, self.momentum, beta=self.beta)
