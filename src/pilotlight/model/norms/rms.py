"""Root-mean-square norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.model.norms import Norm

if TYPE_CHECKING:
    from pilotlight.model.layer import NormLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class RMS(Norm):
    """Division by the root mean square, then a gain per entry (Zhang and Sennrich 2019)."""

    epsilon: float = Field(default=1e-6, gt=0)
    """What is added to the mean square."""

    def build(self, size: int, rules: Parametrisation, *, in_block: bool = True) -> NormLayer:
        """Return the layer for vectors of ``size``."""
        from pilotlight.model.norms.rms_layer import RMSLayer

        return RMSLayer(size, rules, in_block=in_block, epsilon=self.epsilon)
