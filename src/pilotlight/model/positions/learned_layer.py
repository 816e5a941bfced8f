"""The layer of learned positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from jaxtyping import Float
from torch import Tensor

from pilotlight.errors import ConfigError
from pilotlight.model.layer import PositionLayer
from pilotlight.model.weight import Role, Start, weight

if TYPE_CHECKING:
    from pilotlight.model.parametrisation import Parametrisation

STD = 0.02


@final
class LearnedLayer(PositionLayer):
    """Adds a learned vector per place at the input."""

    def __init__(self, longest: int, width: int, rules: Parametrisation) -> None:
        super().__init__()
        scaling = rules.scaling(Role.EMBEDDING, in_block=False)
        self.table = weight(longest, width, start=Start("normal", STD), role=Role.EMBEDDING, scaling=scaling)

    def at_input(self, hidden: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch time width"]:
        """Return the embedded tokens plus the vector of their place.

        Raises:
            ConfigError: the row is longer than the table.
        """
        time = hidden.shape[1]
        if time > self.table.shape[0]:
            raise ConfigError(
                f"a row has {time} tokens, but model.position.longest is {self.table.shape[0]}; raise it to {time}"
            )
        return hidden + self.table[:time].to(hidden.dtype)

    def at_attention(self, heads: Float[Tensor, "batch time heads size"]) -> Float[Tensor, "batch time heads size"]:
        """Return queries or keys unchanged."""
        return heads
