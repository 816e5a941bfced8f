"""No norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.norms import Norm

if TYPE_CHECKING:
    from pilotlight.model.layer import NormLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class NoNorm(Norm):
    """Vectors as they are; training holds with a start made for it, such as T-Fixup (Huang et al. 2020), or a low rate."""

    def build(self, size: int, rules: Parametrisation, *, in_block: bool = True) -> NormLayer:
        """Return the layer for vectors of ``size``."""
        from pilotlight.model.norms.none_layer import NoNormLayer

        return NoNormLayer()
