"""Each element of the gradient by its value."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.train.clipping import Clipper, Clipping

if TYPE_CHECKING:
    import torch


@final
class Value(Clipping):
    """Elements outside plus or minus the largest value are set to it, which turns the direction (Mikolov 2012)."""

    largest: float = Field(default=0.01, gt=0, allow_inf_nan=False)
    """Largest size of an element; the root mean square of gradients under a norm of 1 is 1 / sqrt(parameters)."""

    def build(self) -> Clipper:
        """Return a clipper without a memory."""
        return _ByValue(self)


@final
class _ByValue(Clipper):
    def __init__(self, settings: Value) -> None:
        self.settings = settings

    def clip(self, parameters: list[torch.nn.Parameter], norm: float) -> None:
        del norm
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.clamp_(-self.settings.largest, self.settings.largest)
