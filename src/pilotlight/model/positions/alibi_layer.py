"""The layer of slopes over distance."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import WHOLE, PositionLayer, Rows


@final
class ALiBiLayer(PositionLayer):
    """Leaves tokens, queries and keys as they are; the heads' slopes fall from near 1 to 1/256 by equal factors."""

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

    def slopes(self, heads: int) -> Float[Tensor, " heads"]:
        """Return 2^(-8 h / heads) for head h of 1 to ``heads``."""
        return 2.0 ** (-8.0 * torch.arange(1, heads + 1, dtype=torch.float32) / heads)
