"""Branches that open during training."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.residuals import Residual

if TYPE_CHECKING:
    from pilotlight.model.layer import ResidualLayer
    from pilotlight.model.norms import Norm
    from pilotlight.model.parametrisation import Parametrisation


@final
class ReZero(Residual):
    """hidden + gate * branch(norm(hidden)), twice, with one learned gate per branch, 0 at the start (Bachlechner et al. 2021).

    With ``norm: none`` it is the form of the paper.
    """

    def build(self, width: int, norm: Norm, rules: Parametrisation) -> ResidualLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.residuals.rezero_layer import ReZeroLayer

        return ReZeroLayer(width, norm, rules)
