"""The layer of the root-mean-square norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import NormLayer
from pilotlight.model.weight import vector

if TYPE_CHECKING:
    from pilotlight.model.parametrisation import Parametrisation

EPSILON = 1e-6


def rms_norm(values: Float[Tensor, "*rows size"], gain: Float[Tensor, " size"]) -> Float[Tensor, "*rows size"]:
    """Return ``values / rms(values) * gain``, computed in float32, in the precision of ``values``."""
    wide = values.float()
    scale = torch.rsqrt(wide.square().mean(-1, keepdim=True) + EPSILON)
    return (wide * scale * gain).to(values.dtype)


@final
class RMSLayer(NormLayer):
    """Division by the root mean square, then a gain."""

    def __init__(self, size: int, rules: Parametrisation, *, in_block: bool = True) -> None:
        super().__init__()
        self.gain = vector(size, rules, value=1.0, in_block=in_block)

    def forward(self, hidden: Float[Tensor, "*rows size"]) -> Float[Tensor, "*rows size"]:
        """Return the vectors, normalised over the last dimension."""
        return rms_norm(hidden, self.gain)
