"""Truncated normal start."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.initialisations import Initialisation

if TYPE_CHECKING:
    import torch


@final
class TruncatedNormal(Initialisation):
    """Drawn from a normal distribution whose values beyond two of its deviations are drawn again."""

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Return float32 values of mean 0 and variance 1."""
        from pilotlight.model.initialisations.truncated_normal_layer import draw

        return draw(shape, generator)
