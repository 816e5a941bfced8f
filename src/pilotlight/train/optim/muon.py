"""Muon for the matrices, AdamW for everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.train.optim import Betas, Optim

if TYPE_CHECKING:
    import torch


@final
class Muon(Optim):
    """Momentum made orthogonal (Jordan et al. 2024, kellerjordan.github.io/posts/muon) for the matrices of the blocks.

    Embeddings, vectors and the output follow AdamW with the same rate and decay: an update of a matrix has the root mean
    square 0.2 that AdamW's usually has (Liu et al. 2025, arXiv 2502.16982, section 2.2). Over widths the spectral norm
    of an update is kept at sqrt(outputs / inputs) (Yang et al. 2023, arXiv 2310.17813).
    """

    lr: float = Field(default=1e-2, gt=0, allow_inf_nan=False)
    """Peak learning rate at the model's base shape; the schedule scales it over the steps."""
    momentum: float = Field(default=0.95, ge=0, lt=1)
    """Share of the old momentum in the new one; the step looks one ahead (Nesterov)."""
    iterations: int = Field(default=5, ge=1, le=12)
    """Products that make a momentum orthogonal: after 5 its singular values lie within 15 % of 1, after 6 within 1 %."""
    betas: Betas = (0.9, 0.95)
    """AdamW's decay of the first and of the second moment."""
    eps: float = Field(default=1e-8, gt=0)
    """Added by AdamW to the root of the second moment."""

    def make(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return one optimiser for both rules over the model's parameter groups, each split by rule."""
        from pilotlight.train.groups import parameter_groups
        from pilotlight.train.optim._muon import MuonRule
        from pilotlight.train.optim._rule import matrices_apart

        groups = matrices_apart(parameter_groups(model, self, eps=self.eps))
        return MuonRule(groups, self, dtype=getattr(model, "compute_dtype", None))
