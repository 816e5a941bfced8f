"""The layer of the gated feed-forward with GELU."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import WHOLE, FeedForwardLayer, Rows, linear
from pilotlight.model.weight import matrix

if TYPE_CHECKING:
    from pilotlight.model.parametrisation import Parametrisation


@final
class GeGLULayer(FeedForwardLayer):
    """down(gelu(gate(x)) * up(x))."""

    def __init__(self, width: int, hidden_size: int, rules: Parametrisation) -> None:
        super().__init__()
        self.gate = matrix(hidden_size, width, rules)
        self.up = matrix(hidden_size, width, rules)
        self.down = matrix(width, hidden_size, rules)

    def forward(
        self, hidden: Float[Tensor, "batch time width"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time width"]:
        """Return the change of each token."""
        gate, up = linear(hidden, torch.cat([self.gate, self.up])).chunk(2, dim=-1)
        return linear(functional.gelu(gate) * up, self.down)
