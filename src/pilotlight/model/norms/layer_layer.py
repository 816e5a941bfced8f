"""The layer of the layer norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import NormLayer
from pilotlight.model.weight import vector

if TYPE_CHECKING:
    from pilotlight.model.parametrisation import Parametrisation


@final
class LayerLayer(NormLayer):
    """Zero mean and unit variance, then a gain and a bias."""

    def __init__(self, size: int, rules: Parametrisation, *, in_block: bool = True, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.gain = vector(size, rules, value=1.0, in_block=in_block)
        self.bias = vector(size, rules, value=0.0, in_block=in_block)

    def forward(self, hidden: Float[Tensor, "*rows size"]) -> Float[Tensor, "*rows size"]:
        """Return the vectors, normalised over the last dimension."""
        wide = functional.layer_norm(hidden.float(), (hidden.shape[-1],), self.gain, self.bias, self.epsilon)
        return wide.to(hidden.dtype)
