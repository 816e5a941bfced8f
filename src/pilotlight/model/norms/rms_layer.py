"""The layer of the root-mean-square norm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.by_hand import by_hand
from pilotlight.model.layer import NormLayer
from pilotlight.model.weight import vector

if TYPE_CHECKING:
    from pilotlight.model.parametrisation import Parametrisation

EPSILON = 1e-6


def rms_norm(
    values: Float[Tensor, "*rows size"], gain: Float[Tensor, " size"], epsilon: float = EPSILON
) -> Float[Tensor, "*rows size"]:
    """Return ``values / rms(values) * gain``, computed in float32, in the precision of ``values``."""
    if not (by_hand() and torch.is_grad_enabled()):
        wide = values.float()
        return (wide * _scale(wide, epsilon) * gain).to(values.dtype)
    return _RMSNorm.apply(values, gain, epsilon)  # pyright: ignore


def _scale(wide: Tensor, epsilon: float) -> Tensor:
    return torch.rsqrt(wide.square().mean(-1, keepdim=True) + epsilon)


@final
class _RMSNorm(torch.autograd.Function):
    """The norm with its gradient by hand, which takes half the passes over memory that autograd's takes in eager mode."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, gain: Tensor, epsilon: float) -> Tensor:
        wide = values.float()
        scale = _scale(wide, epsilon)
        ctx.save_for_backward(values, gain, scale)
        return (wide * scale).mul_(gain).to(values.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, None]:
        values, gain, scale = ctx.saved_tensors
        unit = values.float() * scale
        pull = gradients[0].float() * unit
        gain_change = pull.flatten(0, -2).sum(0)
        along = (pull @ gain)[..., None].div_(len(gain))
        change = torch.addcmul(gradients[0].float() * gain, unit, along, value=-1.0).mul_(scale)
        return change.to(values.dtype), gain_change, None


@final
class RMSLayer(NormLayer):
    """Division by the root mean square, then a gain."""

    def __init__(self, size: int, rules: Parametrisation, *, in_block: bool = True, epsilon: float = EPSILON) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.gain = vector(size, rules, value=1.0, in_block=in_block)

    def forward(self, hidden: Float[Tensor, "*rows size"]) -> Float[Tensor, "*rows size"]:
        """Return the vectors, normalised over the last dimension."""
        return rms_norm(hidden, self.gain, self.epsilon)
