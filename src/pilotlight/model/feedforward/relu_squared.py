"""Feed-forward with a squared ReLU."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.model.feedforward import FeedForward

if TYPE_CHECKING:
    from pilotlight.model.layer import FeedForwardLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class ReLUSquared(FeedForward):
    """Two matrices, down(relu(up(x)) ** 2) (So et al. 2021, Primer)."""

    expansion: float = Field(default=4.5, gt=0)
    """Hidden size as a multiple of the width. 4.5 holds as many parameters as swiglu at 3."""

    def build(self, width: int, rules: Parametrisation) -> FeedForwardLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.feedforward.relu_squared_layer import ReLUSquaredLayer

        return ReLUSquaredLayer(width, max(1, round(self.expansion * width)), rules)
