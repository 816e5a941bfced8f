"""Norms before and after the branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.residuals import Residual

if TYPE_CHECKING:
    from pilotlight.model.layer import ResidualLayer
    from pilotlight.model.norms import Norm
    from pilotlight.model.parametrisation import Parametrisation


@final
class Sandwich(Residual):
    """hidden + norm(branch(norm(hidden))), twice (Ding et al. 2021, CogView; Gemma Team 2024)."""

    def build(self, width: int, norm: Norm, rules: Parametrisation) -> ResidualLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.residuals.sandwich_layer import SandwichLayer

        return SandwichLayer(width, norm, rules)
