"""Orthogonal start."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.initialisations import Initialisation

if TYPE_CHECKING:
    import torch


@final
class Orthogonal(Initialisation):
    """Rows, or columns where there are more rows, that are orthogonal to each other and equally long (Saxe et al. 2014)."""

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Return float32 values of mean 0 and variance 1."""
        from pilotlight.model.initialisations.orthogonal_layer import draw

        return draw(shape, generator)
