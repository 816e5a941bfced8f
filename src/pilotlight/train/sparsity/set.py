"""Sparse evolutionary training: small weights go, random ones come."""

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
class Set(Sparsity):
    """From a random mask on, the smallest weights are dropped again and again and as many others grow at random.

    Source: Mocanu et al. 2018 (arXiv 1707.04780), algorithm 1. New weights start at zero; what was dropped just now does not
    come back at once.
    """

    layers: Layers = "erdos_renyi"
    drop: Share = Field(default=0.3, gt=0, lt=1)
    """Share of the kept weights of each matrix that is dropped at a change (zeta)."""
    every: int | None = Field(default=None, ge=1)
    """Updates between two changes; null: 100, or a fiftieth of a training that is shorter than 5,000 steps."""
    until: Share = Field(default=0.75, gt=0)
    """Share of the steps after which the mask stays, so that the last weights that grew are trained."""

    def make(self, matrices: Mapping[str, torch.nn.Parameter], seed: int, steps: int) -> Pruner:
        """Return a pruner that drops by size and grows at random."""
        from pilotlight.train.sparsity._set import SetPruner

        return SetPruner(matrices, self, seed, steps)
