"""The layer of gated feed-forwards, whatever opens the gate."""

from __future__ import annotations

from collections.abc import Callable
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
class GatedLayer(FeedForwardLayer):
    """down(activation(gate(x)) * up(x))."""

    def __init__(
        self,
        width: int,
        hidden_size: int,
        rules: Parametrisation,
        activation: Callable[[Tensor], Tensor] = functional.silu,
    ) -> None:
        super().__init__()
        self.activation = activation
        self.gate = matrix(hidden_size, width, rules)
        self.up = matrix(hidden_size, width, rules)
        self.down = matrix(width, hidden_size, rules)

    def forward(
        self, hidden: Float[Tensor, "batch time width"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time width"]:
        """Return the change of each token."""
        gate, up = linear(hidden, torch.cat([self.gate, self.up])).chunk(2, dim=-1)
        return linear(self.activation(gate) * up, self.down)
