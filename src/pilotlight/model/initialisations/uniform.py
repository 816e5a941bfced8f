"""Uniform start."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.initialisations import Initialisation

if TYPE_CHECKING:
    import torch


@final
class Uniform(Initialisation):
    """Drawn evenly between the two bounds that belong to the standard deviation, sqrt(3) times as far out."""

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Return float32 values of mean 0 and variance 1."""
        from pilotlight.model.initialisations.uniform_layer import draw

        return draw(shape, generator)
