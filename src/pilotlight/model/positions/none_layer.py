"""The layer that adds no position."""

from __future__ import annotations

from typing import final

from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import WHOLE, PositionLayer, Rows


@final
class NoPositionLayer(PositionLayer):
    """Leaves tokens, queries and keys as they are."""

    def at_input(
        self, hidden: Float[Tensor, "batch time width"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time width"]:
        """Return the embedded tokens unchanged."""
        return hidden

    def at_attention(
        self, heads: Float[Tensor, "batch time heads size"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time heads size"]:
        """Return queries or keys unchanged."""
        return heads
