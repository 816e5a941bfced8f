"""Norms before the branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.residuals import Residual

if TYPE_CHECKING:
    from pilotlight.model.layer import ResidualLayer
    from pilotlight.model.norms import Norm
    from pilotlight.model.parametrisation import Parametrisation


@final
class Pre(Residual):
    """hidden + branch(norm(hidden)), twice (Xiong et al. 2020): the stream itself is never normalised."""

    def build(self, width: int, norm: Norm, rules: Parametrisation) -> ResidualLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.residuals.pre_layer import PreLayer

        return PreLayer(width, norm, rules)
