"""No position."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.positions import Position

if TYPE_CHECKING:
    from pilotlight.model.layer import PositionLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class NoPosition(Position):
    """Nothing: a causal model can count for itself (Haviv et al. 2022)."""

    def build(self, width: int, head_dim: int, rules: Parametrisation) -> PositionLayer:
        """Return a layer that changes nothing."""
        from pilotlight.model.positions.none_layer import NoPositionLayer

        return NoPositionLayer()
