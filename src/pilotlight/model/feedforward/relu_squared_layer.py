"""The layer of the feed-forward with a squared ReLU."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import WHOLE, FeedForwardLayer, Rows, linear
from pilotlight.model.weight import matrix

if TYPE_CHECKING:
    from pilotlight.model.parametrisation import Parametrisation


@final
class ReLUSquaredLayer(FeedForwardLayer):
    """down(relu(up(x)) ** 2)."""

    def __init__(self, width: int, hidden_size: int, rules: Parametrisation) -> None:
        super().__init__()
        self.up = matrix(hidden_size, width, rules)
        self.down = matrix(width, hidden_size, rules)

    def forward(
        self, hidden: Float[Tensor, "batch time width"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time width"]:
        """Return the change of each token."""
        return linear(functional.relu(linear(hidden, self.up)).square(), self.down)
