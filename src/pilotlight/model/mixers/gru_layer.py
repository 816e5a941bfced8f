"""The layer of the gated recurrent unit."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import WHOLE, Memory, MixerLayer, PositionLayer, Rows, linear
from pilotlight.model.mixers._cells import Cell, step_through
from pilotlight.model.mixers._forwards import forwards_only, lasting
from pilotlight.model.weight import matrix, vector

if TYPE_CHECKING:
    from pilotlight.model.mixers.gru import GRU
    from pilotlight.model.parametrisation import Parametrisation


@final
class GRULayer(MixerLayer):
    """A state per channel with a reset and an update gate, in float32 in every precision."""

    opening: Tensor

    def __init__(self, settings: GRU, width: int, rules: Parametrisation) -> None:
        super().__init__()
        size = 8 * max(1, round(settings.expansion * width / 8))
        self.inputs = matrix(3 * size, width, rules)
        self.recurrent = matrix(3 * size, size, rules)
        self.output = matrix(width, size, rules)
        self.bias = vector(3 * size, rules, value=0.0)
        # In the order of the gates: reset, update (open: the state is kept), candidate.
        opening = torch.cat([torch.zeros(size), lasting(size, settings.memory), torch.zeros(size)])
        self.register_buffer("opening", opening, persistent=False)

    def forward(
        self,
        hidden: Float[Tensor, "batch time width"],
        position: PositionLayer,
        rows: Rows = WHOLE,
        memory: Memory | None = None,
    ) -> Float[Tensor, "batch time width"]:
        """Return what each token finds in the state."""
        forwards_only("gru", rows)
        cell = Cell("gru", self.inputs, self.recurrent, self.bias + self.opening)
        before = (memory["state"],) if memory else None
        output, after = step_through(cell, hidden.float(), rows.documents, before)  # pyright: ignore[reportCallIssue]
        if memory is not None:
            (memory["state"],) = after
        return linear(output.to(hidden.dtype), self.output)
