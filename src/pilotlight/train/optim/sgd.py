"""Stochastic gradient descent with momentum."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from pydantic import Field

from pilotlight.train.optim import DecayRule, Optim

if TYPE_CHECKING:
    import torch


@final
class SGD(Optim):
    """Gradient descent with Nesterov momentum (Sutskever et al. 2013): the plain reference for other optimisers."""

    own_decay: ClassVar[DecayRule] = "gradient"

    decay_rule: DecayRule = "gradient"
    """As of any optimiser, but by default as torch has it: nothing divides what is added to the gradient."""
    momentum: float = Field(default=0.9, ge=0, lt=1)
    """Share of the last update kept in the next one."""

    def make(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return fused SGD over the model's parameter groups."""
        from torch import optim

        from pilotlight.train.groups import parameter_groups

        groups = parameter_groups(model, self)
        return optim.SGD(groups, lr=self.lr, momentum=self.momentum, nesterov=self.momentum > 0, fused=True)
