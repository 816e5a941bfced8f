"""The layer that does not normalise."""

from __future__ import annotations

from typing import final

from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import NormLayer


@final
class NoNormLayer(NormLayer):
    """Leaves vectors as they are."""

    def forward(self, hidden: Float[Tensor, "*rows size"]) -> Float[Tensor, "*rows size"]:
        """Return the vectors unchanged."""
        return hidden
