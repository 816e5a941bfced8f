"""Layer norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.model.norms import Norm

if TYPE_CHECKING:
    from pilotlight.model.layer import NormLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class Layer(Norm):
    """Zero mean and unit variance, then a gain and a bias per entry (Ba et al. 2016)."""

    epsilon: float = Field(default=1e-5, gt=0)
    """What is added to the variance."""

    def build(self, size: int, rules: Parametrisation, *, in_block: bool = True) -> NormLayer:
        """Return the layer for vectors of ``size``."""
        from pilotlight.model.norms.layer_layer import LayerLayer

        return LayerLayer(size, rules, in_block=in_block, epsilon=self.epsilon)
