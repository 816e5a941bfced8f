"""The layer of branches that open during training."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import Branch, ResidualLayer
from pilotlight.model.weight import vector

if TYPE_CHECKING:
    from pilotlight.model.norms import Norm
    from pilotlight.model.parametrisation import Parametrisation


@final
class ReZeroLayer(ResidualLayer):
    """hidden + gate * branch(norm(hidden))."""

    def __init__(self, width: int, norm: Norm, rules: Parametrisation) -> None:
        super().__init__()
        self.branch = rules.branch
        self.mixer_norm = norm.build(width, rules)
        self.feedforward_norm = norm.build(width, rules)
        self.mixer_gate = vector(1, rules, value=0.0)
        self.feedforward_gate = vector(1, rules, value=0.0)

    def forward(
        self, hidden: Float[Tensor, "batch time width"], mix: Branch, change: Branch
    ) -> Float[Tensor, "batch time width"]:
        """Return the hidden states after both branches."""
        gate = (self.branch * self.mixer_gate).to(hidden.dtype)
        hidden = hidden + gate * mix(self.mixer_norm(hidden))
        gate = (self.branch * self.feedforward_gate).to(hidden.dtype)
        return hidden + gate * change(self.feedforward_norm(hidden))
