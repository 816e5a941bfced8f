"""Rotary positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.model.positions import Position

if TYPE_CHECKING:
    from pilotlight.model.layer import PositionLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class Rotary(Position):
    """Queries and keys turned by an angle that grows with the place (Su et al. 2021, RoFormer)."""

    period: float = Field(default=10_000.0, gt=1)
    """Base of the wavelengths: the slowest pair of entries turns once in about 2 pi x this many tokens."""

    def build(self, width: int, head_dim: int, rules: Parametrisation) -> PositionLayer:
        """Return the layer."""
        from pilotlight.model.positions.rotary_layer import RotaryLayer

        return RotaryLayer(head_dim, self.period)
