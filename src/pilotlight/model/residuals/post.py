"""Norms after the sums."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.residuals import Residual

if TYPE_CHECKING:
    from pilotlight.model.layer import ResidualLayer
    from pilotlight.model.norms import Norm
    from pilotlight.model.parametrisation import Parametrisation


@final
class Post(Residual):
    """norm(hidden + branch(hidden)), twice, as in the first transformer (Vaswani et al. 2017)."""

    def build(self, width: int, norm: Norm, rules: Parametrisation) -> ResidualLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.residuals.post_layer import PostLayer

        return PostLayer(width, norm, rules)
