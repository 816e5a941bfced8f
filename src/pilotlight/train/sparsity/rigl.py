"""RigL: small weights go, those with the largest gradients come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.train.sparsity import Layers, Sparsity
from pilotlight.units import Share

if TYPE_CHECKING:
    import torch

    from pilotlight.train.sparsity._pruner import Pruner


@final
class RigL(Sparsity):
    """From a random mask on, the smallest weights are dropped and those grow whose gradients are the largest.

    Source: Evci et al. 2020 (arXiv 1911.11134), algorithm 1, but that the update of such a step is done too, before the
    change. New weights start at zero. Gradients of all weights are needed at those steps only; here they are there anyway.
    """

    layers: Layers = "erdos_renyi"
    drop: Share = Field(default=0.3, gt=0, lt=1)
    """Share of the kept weights of each matrix that is dropped at the first change (alpha); falls to 0 by a half cosine."""
    every: int | None = Field(default=None, ge=1)
    """Updates between two changes; null: 100, or a fiftieth of a training that is shorter than 5,000 steps."""
    until: Share = Field(default=0.75, gt=0)
    """Share of the steps after which the mask stays."""

    def make(self, matrices: Mapping[str, torch.nn.Parameter], seed: int, steps: int) -> Pruner:
        """Return a pruner that drops by size and grows by gradient."""
        from pilotlight.train.sparsity._rigl import RigLPruner

        return RigLPruner(matrices, self, seed, steps)
