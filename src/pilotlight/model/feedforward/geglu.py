"""Gated feed-forward with GELU."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.model.feedforward import FeedForward

if TYPE_CHECKING:
    from pilotlight.model.layer import FeedForwardLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class GeGLU(FeedForward):
    """Three matrices, down(gelu(gate(x)) * up(x)) (Shazeer 2020)."""

    expansion: float = Field(default=3.0, gt=0)
    """Hidden size as a multiple of the width."""

    def build(self, width: int, rules: Parametrisation) -> FeedForwardLayer:
        """Return the layer for a model of ``width``."""
        from torch.nn import functional

        from pilotlight.model.feedforward._gated import GatedLayer

        return GatedLayer(width, max(1, round(self.expansion * width)), rules, functional.gelu)
