"""The layer of norms before and after the branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import Branch, ResidualLayer

if TYPE_CHECKING:
    from pilotlight.model.norms import Norm
    from pilotlight.model.parametrisation import Parametrisation


@final
class SandwichLayer(ResidualLayer):
    """hidden + norm(branch(norm(hidden)))."""

    def __init__(self, width: int, norm: Norm, rules: Parametrisation) -> None:
        super().__init__()
        self.branch = rules.branch
        self.mixer_norm = norm.build(width, rules)
        self.feedforward_norm = norm.build(width, rules)
        self.mixer_end_norm = norm.build(width, rules)
        self.feedforward_end_norm = norm.build(width, rules)

    def forward(
        self, hidden: Float[Tensor, "batch time width"], mix: Branch, change: Branch
    ) -> Float[Tensor, "batch time width"]:
        """Return the hidden states after both branches."""
        hidden = hidden + self.branch * self.mixer_end_norm(mix(self.mixer_norm(hidden)))
        return hidden + self.branch * self.feedforward_end_norm(change(self.feedforward_norm(hidden)))
