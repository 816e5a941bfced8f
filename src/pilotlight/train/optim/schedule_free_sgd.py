"""Stochastic gradient descent that needs no schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, final

from pydantic import Field

from pilotlight.train.optim import Optim

if TYPE_CHECKING:
    import torch


@final
class ScheduleFreeSGD(Optim):
    """Gradient descent whose average over the steps is the result (Defazio et al. 2024, arXiv 2405.15682, section 2).

    Pair it with ``schedule: constant``. As with ``sgd``, updates follow the size of the gradient and rates do not carry
    over between widths.
    """

    lr: float = Field(default=0.1, gt=0, allow_inf_nan=False)
    """Learning rate at the model's base shape."""
    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Weight decay at each step, by ``decay_rule``."""
    decay_rule: Literal["decoupled", "independent", "gradient"] = "decoupled"  # pyright: ignore[reportIncompatibleVariableOverride]
    """As of any optimiser, but not cautious: a decay moves the average as well. It is taken at the gradient's point,
    where ``decoupled`` and ``gradient`` come to the same."""
    momentum: float = Field(default=0.9, gt=0, lt=1)
    """How close to the average gradients are taken."""

    def make(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return schedule-free gradient descent over the model's parameter groups."""
        from pilotlight.train.groups import parameter_groups
        from pilotlight.train.optim._schedule_free import ScheduleFreeRule

        return ScheduleFreeRule(parameter_groups(model, self), self.lr, self.momentum)
