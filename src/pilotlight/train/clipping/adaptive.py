"""Each unit's gradient by the size of its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.model.parametrisation import Role
from pilotlight.train.clipping import Clipper, Clipping

if TYPE_CHECKING:
    import torch


@final
class Adaptive(Clipping):
    """Adaptive gradient clipping: no unit may change by more than a share of its weights (Brock et al. 2021).

    Source: arXiv 2102.06171, section 4.1. A unit is a row of a matrix (the weights into one output) or of a table; a
    vector is one unit.
    """

    largest: float = Field(default=0.02, gt=0, allow_inf_nan=False)
    """Largest norm of a unit's gradient, as a multiple of the norm of its weights; 0.01 for batches of thousands of
    rows, more for smaller ones (section 4.2)."""
    least: float = Field(default=1e-3, gt=0)
    """Norm that weights count with at least, so that units that begin at zero can move."""
    free: tuple[Role, ...] = (Role.OUTPUT,)
    """Roles of the parameters that are never clipped: the output, as in the paper."""

    def build(self) -> Clipper:
        """Return a clipper without a memory."""
        return _ByUnit(self)


@final
class _ByUnit(Clipper):
    def __init__(self, settings: Adaptive) -> None:
        self.settings = settings

    def clip(self, parameters: list[torch.nn.Parameter], norm: float) -> None:
        import torch

        from pilotlight.model.weight import role_of

        del norm
        for parameter in parameters:
            if parameter.grad is None or role_of(parameter) in self.settings.free:
                continue
            weights = torch.linalg.vector_norm(parameter.detach(), dim=-1, keepdim=True)
            gradients = torch.linalg.vector_norm(parameter.grad, dim=-1, keepdim=True)
            limits = weights.clamp(min=self.settings.least) * self.settings.largest
            # A unit within its limit is multiplied by exactly 1; one without a gradient, 0 / 0, stays at 0.
            parameter.grad.mul_((limits / gradients.clamp(min=torch.finfo(gradients.dtype).tiny)).clamp(max=1.0))
