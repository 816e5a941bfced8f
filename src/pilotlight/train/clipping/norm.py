"""The whole gradient by its norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.train.clipping import Clipper, Clipping, scale_down

if TYPE_CHECKING:
    import torch


@final
class Norm(Clipping):
    """A gradient above the largest norm is scaled down to it; its direction stays (Pascanu et al. 2013, section 3.2)."""

    largest: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Largest norm of the whole gradient."""

    def build(self) -> Clipper:
        """Return a clipper without a memory."""
        return _ByNorm(self)


@final
class _ByNorm(Clipper):
    def __init__(self, settings: Norm) -> None:
        self.settings = settings

    def clip(self, parameters: list[torch.nn.Parameter], norm: float) -> None:
        scale_down(parameters, norm, self.settings.largest)
