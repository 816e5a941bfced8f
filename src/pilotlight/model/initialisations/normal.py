"""Normal start."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.model.initialisations import Initialisation

if TYPE_CHECKING:
    import torch


@final
class Normal(Initialisation):
    """Drawn from a normal distribution."""

    def draw(self, shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
        """Return float32 values of mean 0 and variance 1."""
        from pilotlight.model.initialisations.normal_layer import draw

        return draw(shape, generator)
