"""Both branches beside each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.residuals import Residual

if TYPE_CHECKING:
    from pilotlight.model.layer import ResidualLayer
    from pilotlight.model.norms import Norm
    from pilotlight.model.parametrisation import Parametrisation


@final
class Parallel(Residual):
    """hidden + mixer(norm(hidden)) + feedforward(norm(hidden)) with one norm (Wang and Komatsuzaki 2021, GPT-J)."""

    def build(self, width: int, norm: Norm, rules: Parametrisation) -> ResidualLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.residuals.parallel_layer import ParallelLayer

        return ParallelLayer(width, norm, rules)
