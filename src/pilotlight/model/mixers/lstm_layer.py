"""The layer of the long short-term memory."""

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
    from pilotlight.model.mixers.lstm import LSTM
    from pilotlight.model.parametrisation import Parametrisation


@final
class LSTMLayer(MixerLayer):
    """A cell per channel with an input, a forget and an output gate, in float32 in every precision."""

    opening: Tensor

    def __init__(self, settings: LSTM, width: int, rules: Parametrisation) -> None:
        super().__init__()
        size = 8 * max(1, round(settings.expansion * width / 8))
        self.inputs = matrix(4 * size, width, rules)
        self.recurrent = matrix(4 * size, size, rules)
        self.output = matrix(width, size, rules)
        self.bias = vector(4 * size, rules, value=0.0)
        # In the order of the gates: input, forget, candidate, output.
        kept = lasting(size, settings.memory)
        opening = torch.cat([-kept, kept, torch.zeros(2 * size)])
        self.register_buffer("opening", opening, persistent=False)

    def forward(
        self,
        hidden: Float[Tensor, "batch time width"],
        position: PositionLayer,
        rows: Rows = WHOLE,
        memory: Memory | None = None,
    ) -> Float[Tensor, "batch time width"]:
        """Return what each token finds in the state."""
        forwards_only("lstm", rows)
        cell = Cell("lstm", self.inputs, self.recurrent, self.bias + self.opening)
        before = (memory["state"], memory["cell"]) if memory else None
        output, after = step_through(cell, hidden.float(), rows.documents, before)  # pyright: ignore[reportCallIssue]
        if memory is not None:
            memory["state"], memory["cell"] = after
        return linear(output.to(hidden.dtype), self.output)
