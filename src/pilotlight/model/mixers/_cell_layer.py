"""The layer of the recurrences whose gates look at the state: a GRU or an LSTM between two products."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, final

import torch
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import WHOLE, Memory, MixerLayer, PositionLayer, Rows, linear
from pilotlight.model.mixers._cells import Cell, step_through
from pilotlight.model.mixers._forwards import forwards_only, lasting
from pilotlight.model.weight import matrix, vector

if TYPE_CHECKING:
    from pilotlight.model.mixers.gru import GRU
    from pilotlight.model.mixers.lstm import LSTM
    from pilotlight.model.parametrisation import Parametrisation

Kind = Literal["gru", "lstm"]
KEPT: dict[Kind, tuple[str, ...]] = {"gru": ("state",), "lstm": ("state", "cell")}
"""What each kind remembers of a text that is generated."""


@final
class CellLayer(MixerLayer):
    """A state per channel and its gates, in float32 in every precision."""

    opening: Tensor

    def __init__(self, kind: Kind, settings: GRU | LSTM, width: int, rules: Parametrisation) -> None:
        super().__init__()
        self.kind: Kind = kind
        size = 8 * max(1, round(settings.expansion * width / 8))
        opening = _opening(kind, lasting(size, settings.memory))
        self.inputs = matrix(len(opening), width, rules)
        self.recurrent = matrix(len(opening), size, rules)
        self.output = matrix(width, size, rules)
        self.bias = vector(len(opening), rules, value=0.0)
        self.register_buffer("opening", opening, persistent=False)

    def forward(
        self,
        hidden: Float[Tensor, "batch time width"],
        position: PositionLayer,
        rows: Rows = WHOLE,
        memory: Memory | None = None,
    ) -> Float[Tensor, "batch time width"]:
        """Return what each token finds in the state."""
        forwards_only(self.kind, rows)
        cell = Cell(self.kind, self.inputs, self.recurrent, self.bias + self.opening)
        before = tuple(memory[name] for name in KEPT[self.kind]) if memory else None
        output, after = step_through(cell, hidden.float(), rows.documents, before)  # pyright: ignore[reportCallIssue]
        if memory is not None:
            memory.update(zip(KEPT[self.kind], after, strict=True))
        return linear(output.to(hidden.dtype), self.output)


def _opening(kind: Kind, kept: Float[Tensor, " size"]) -> Float[Tensor, " gates"]:
    """Return what is added to the gates so that channels remember as long as ``kept`` says at the start."""
    zero = torch.zeros_like(kept)
    if kind == "gru":  # in the order of the gates: reset, update (open: the state is kept), candidate
        return torch.cat([zero, kept, zero])
    return torch.cat([-kept, kept, zero, zero])  # input, forget, candidate, output
