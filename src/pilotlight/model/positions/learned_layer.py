"""The layer of learned positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
import torch.nn.functional as functional
from jaxtyping import Float, Int
from torch import Tensor

from pilotlight.errors import ConfigError
from pilotlight.model.layer import WHOLE, PositionLayer, Rows
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

    def at_input(
        self, hidden: Float[Tensor, "batch time width"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time width"]:
        """Return the embedded tokens plus the vector of their place.

        Raises:
            ConfigError: the row is longer than the table.
        """
        time = rows.first + hidden.shape[1]
        if time > self.table.shape[0]:
            raise ConfigError(
                f"a row has {time} tokens, but model.position.longest is {self.table.shape[0]}; raise it to {time}"
            )
        if rows.documents is None:
            return hidden + self.table[rows.first : time].to(hidden.dtype)
        return hidden + self.table[places(rows.documents)[:, -hidden.shape[1] :]].to(hidden.dtype)

    def at_attention(
        self, heads: Float[Tensor, "batch time heads size"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time heads size"]:
        """Return queries or keys unchanged."""
        return heads


def places(documents: Int[Tensor, "batch known"]) -> Int[Tensor, "batch known"]:
    """Return how far each token stands from the first one of its document in the row."""
    along = torch.arange(documents.shape[1], device=documents.device).expand_as(documents)
    begins = functional.pad(documents[:, 1:] != documents[:, :-1], (1, 0), value=True)
    return along - along.where(begins, 0).cummax(dim=1).values
