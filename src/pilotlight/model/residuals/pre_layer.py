"""The layer of norms before the branches."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import Branch, ResidualLayer

if TYPE_CHECKING:
    from pilotlight.model.norms import Norm
    from pilotlight.model.parametrisation import Parametrisation


@final
class PreLayer(ResidualLayer):
    """hidden + branch(norm(hidden))."""

    def __init__(self, width: int, norm: Norm, rules: Parametrisation) -> None:
        super().__init__()
        self.branch = rules.branch
        self.mixer_norm = norm.build(width, rules)
        self.feedforward_norm = norm.build(width, rules)

    def forward(
        self, hidden: Float[Tensor, "batch time width"], mix: Branch, change: Branch
    ) -> Float[Tensor, "batch time width"]:
        """Return the hidden states after both branches."""
        hidden = hidden + self.branch * mix(self.mixer_norm(hidden))
        return hidden + self.branch * change(self.feedforward_norm(hidden))
