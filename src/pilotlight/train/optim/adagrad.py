"""Adagrad with decoupled weight decay."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.train.optim import Optim

if TYPE_CHECKING:
    import torch


@final
class Adagrad(Optim):
    """Gradients over the root of the sum of all their squares (Duchi et al. 2011, JMLR 12, pages 2121-2159).

    The sum only grows, so the rate falls by itself as 1 / sqrt(step): pair it with ``schedule: constant``. Updates do
    not depend on the size of the gradient, so they scale with the width as Adam's.
    """

    lr: float = Field(default=1e-2, gt=0, allow_inf_nan=False)
    """Peak learning rate at the model's base shape: the size of the first update; the ``t``-th is about 1 / sqrt(t) of
    it."""
    eps: float = Field(default=1e-10, gt=0)
    """Added to the root of the sum."""

    def make(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return Adagrad over the model's parameter groups."""
        from pilotlight.train.groups import parameter_groups
        from pilotlight.train.optim._adagrad import AdagradRule

        return AdagradRule(parameter_groups(model, self, eps=self.eps), self.lr)
