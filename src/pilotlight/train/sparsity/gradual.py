"""Gradual magnitude pruning: dense at first, sparse along a cubic curve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Self, final

from pydantic import Field, model_validator

from pilotlight.train.sparsity import Sparsity
from pilotlight.units import Share

if TYPE_CHECKING:
    import torch

    from pilotlight.train.sparsity._pruner import Pruner


@final
class Gradual(Sparsity):
    """The smallest weights go, at first many and later fewer at a time, until ``share`` of them are zero.

    Source: Zhu and Gupta 2017 (arXiv 1710.01878), equation 1. What has gone does not come back.
    """

    first: Share = Field(default=0.0, lt=1)
    """Share of zeros at the first change."""
    begin: Share = 0.1
    """Share of the steps after which pruning begins."""
    until: Share = Field(default=0.7, gt=0)
    """Share of the steps after which ``share`` is reached; the rest of the training mends what pruning broke."""
    every: int | None = Field(default=None, ge=1)
    """Updates between two changes; null: 100, or a fiftieth of a training that is shorter than 5,000 steps."""

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if self.begin >= self.until:
            raise ValueError(f"begin: {self.begin:g}; expected less than until, {self.until:g}")
        if self.first > self.share:
            raise ValueError(f"first: {self.first:g}; expected at most share, {self.share:g}")
        return self

    def make(self, matrices: Mapping[str, torch.nn.Parameter], seed: int, steps: int) -> Pruner:
        """Return a pruner whose masks only shrink."""
        from pilotlight.train.sparsity._gradual import GradualPruner

        del seed  # nothing is drawn
        return GradualPruner(matrices, self, steps)
