"""Feed-forward with GELU."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, final

from pydantic import Field

from pilotlight.model.feedforward import FeedForward

if TYPE_CHECKING:
    from pilotlight.model.layer import FeedForwardLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class GELU(FeedForward):
    """Two matrices, down(gelu(up(x))) (Hendrycks and Gimpel 2016)."""

    expansion: float = Field(default=4.5, gt=0)
    """Hidden size as a multiple of the width. 4.5 holds as many parameters as swiglu at 3."""
    form: Literal["exact", "tanh"] = "exact"
    """The function itself, or its approximation by tanh that GPT-2 was trained with."""
    bias: bool = False
    """Add a learned vector after each matrix."""

    def build(self, width: int, rules: Parametrisation) -> FeedForwardLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.feedforward.gelu_layer import GELULayer

        return GELULayer(self, width, rules)
