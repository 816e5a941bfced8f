"""Norms at the end of the branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.residuals import Residual

if TYPE_CHECKING:
    from pilotlight.model.layer import ResidualLayer
    from pilotlight.model.norms import Norm
    from pilotlight.model.parametrisation import Parametrisation


@final
class Reordered(Residual):
    """hidden + norm(branch(hidden)), twice (OLMo 2 2025, arXiv 2501.00656, section 3.1)."""

    def build(self, width: int, norm: Norm, rules: Parametrisation) -> ResidualLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.residuals.reordered_layer import ReorderedLayer

        return ReorderedLayer(width, norm, rules)
