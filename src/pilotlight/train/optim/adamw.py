"""AdamW with a fused kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.train.optim import Betas, Optim

if TYPE_CHECKING:
    import torch


@final
class AdamW(Optim):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101, algorithm 2)."""

    betas: Betas = (0.9, 0.95)
    """Decay of the first and of the second moment; 0.95 recovers faster from spikes than 0.999."""
    eps: float = Field(default=1e-8, gt=0)
    """Added to the root of the second moment; stays below the gradient's root mean square (arXiv 2309.14322)."""

    def make(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return fused AdamW over the model's parameter groups."""
        from torch import optim

        from pilotlight.train.groups import parameter_groups

        groups = parameter_groups(model, self, eps=self.eps)
        return optim.AdamW(groups, lr=self.lr, betas=self.betas, eps=self.eps, fused=True)
