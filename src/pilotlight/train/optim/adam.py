"""Adam as published, with a fused kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.train.optim import Betas, Optim

if TYPE_CHECKING:
    import torch


@final
class Adam(Optim):
    """Adam (Kingma and Ba 2015, arXiv 1412.6980, algorithm 1) with the paper's constants and no decay.

    With ``decay_rule: gradient`` the second moment divides the decay away from weights with large gradients, and it does
    not carry over between widths.
    """

    weight_decay: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    """Weight decay at each step, by ``decay_rule``; the paper has none."""
    betas: Betas = (0.9, 0.999)
    """Decay of the first and of the second moment."""
    eps: float = Field(default=1e-8, gt=0)
    """Added to the root of the second moment."""
    amsgrad: bool = False
    """Divide by the largest second moment so far (Reddi et al. 2018, arXiv 1904.09237)."""

    def make(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return fused Adam over the model's parameter groups."""
        from torch import optim

        from pilotlight.train.groups import parameter_groups

        return optim.Adam(
            parameter_groups(model, self, eps=self.eps), lr=self.lr, betas=self.betas, eps=self.eps,
            amsgrad=self.amsgrad, decoupled_weight_decay=True, fused=True,
        )  # fmt: skip
