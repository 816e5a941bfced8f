"""SOAP for the matrices, AdamW for everything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.train.optim import Betas, Optim

if TYPE_CHECKING:
    import torch


@final
class Soap(Optim):
    """Adam in the eigenbasis of Shampoo's statistics (Vyas et al. 2024, arXiv 2409.11321, algorithm 3).

    For the matrices of the blocks: gradients are rotated by the eigenvectors of the averages of G G^T and of G^T G, and
    the second moment is kept of what is rotated. The first gradient only makes the basis: in a basis of its own it would
    be divided by itself. Embeddings, vectors and the output follow AdamW.
    """

    betas: Betas = (0.95, 0.95)
    """Decay of the first moment, and of the second moment and the statistics."""
    eps: float = Field(default=1e-8, gt=0)
    """Added to the root of the second moment."""
    every: int = Field(default=10, ge=1)
    """Steps between two turns of the basis, each one step of power iteration and a QR decomposition."""
    largest_side: int = Field(default=2048, ge=1)
    """A longer side of a matrix is not rotated: its statistics would take more memory than the model."""

    def make(self, model: torch.nn.Module) -> torch.optim.Optimizer:
        """Return one optimiser for both rules over the model's parameter groups, each split by rule."""
        from pilotlight.train.groups import parameter_groups
        from pilotlight.train.optim._rule import matrices_apart
        from pilotlight.train.optim._soap import SoapRule

        return SoapRule(matrices_apart(parameter_groups(model, self, eps=self.eps)), self)
