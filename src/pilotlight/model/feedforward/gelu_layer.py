"""The layer of the feed-forward with GELU."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import WHOLE, FeedForwardLayer, Rows, linear
from pilotlight.model.weight import matrix, vector

if TYPE_CHECKING:
    from pilotlight.model.feedforward.gelu import GELU
    from pilotlight.model.parametrisation import Parametrisation


@final
class GELULayer(FeedForwardLayer):
    """down(gelu(up(x)))."""

    def __init__(self, settings: GELU, width: int, rules: Parametrisation) -> None:
        super().__init__()
        hidden_size = max(1, round(settings.expansion * width))
        self.form = "tanh" if settings.form == "tanh" else "none"
        self.up = matrix(hidden_size, width, rules)
        self.down = matrix(width, hidden_size, rules)
        self.up_bias = vector(hidden_size, rules, value=0.0) if settings.bias else None
        self.down_bias = vector(width, rules, value=0.0) if settings.bias else None

    def forward(
        self, hidden: Float[Tensor, "batch time width"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time width"]:
        """Return the change of each token."""
        inner = functional.gelu(linear(hidden, self.up, self.up_bias), approximate=self.form)
        return linear(inner, self.down, self.down_bias)
