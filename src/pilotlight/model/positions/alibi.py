"""Slopes over distance."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.positions import Position

if TYPE_CHECKING:
    from pilotlight.model.layer import PositionLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class ALiBi(Position):
    """Logits of attention fall in a line with the distance, at another slope in each head (Press et al. 2022)."""

    def build(self, width: int, head_dim: int, rules: Parametrisation) -> PositionLayer:
        """Return the layer."""
        from pilotlight.model.positions.alibi_layer import ALiBiLayer

        return ALiBiLayer()
