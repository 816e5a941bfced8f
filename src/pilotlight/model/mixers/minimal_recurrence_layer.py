"""The layer of the minimal gated recurrence."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import WHOLE, Memory, MixerLayer, PositionLayer, Rows, linear
from pilotlight.model.mixers._forwards import begins, forwards_only, recur
from pilotlight.model.weight import matrix, vector

if TYPE_CHECKING:
    from pilotlight.model.mixers.minimal_recurrence import MinimalRecurrence
    from pilotlight.model.parametrisation import Parametrisation


@final
class MinimalRecurrenceLayer(MixerLayer):
    """A state per channel that moves towards a candidate as far as a gate opens; in float32 in every precision."""

    opening: Tensor

    def __init__(self, settings: MinimalRecurrence, width: int, rules: Parametrisation) -> None:
        super().__init__()
        size = max(1, round(settings.expansion * width))
        self.gate = matrix(size, width, rules)
        self.candidate = matrix(size, width, rules)
        self.output = matrix(width, size, rules)
        self.bias = vector(size, rules, value=0.0)
        self.register_buffer("opening", _opening(size, settings.memory), persistent=False)

    def forward(
        self,
        hidden: Float[Tensor, "batch time width"],
        position: PositionLayer,
        rows: Rows = WHOLE,
        memory: Memory | None = None,
    ) -> Float[Tensor, "batch time width"]:
        """Return what each token finds in the state."""
        forwards_only("minimal_recurrence", rows)
        gate, candidate = linear(hidden, torch.cat([self.gate, self.candidate])).float().chunk(2, dim=-1)
        shift = gate + self.bias + self.opening
        keep, inputs = torch.sigmoid(-shift), torch.sigmoid(shift) * candidate
        if rows.documents is not None:
            keep = keep.masked_fill(begins(rows.documents, hidden.shape[1])[..., None], 0.0)
        if memory is not None and "state" in memory:
            first = torch.addcmul(inputs[:, :1], keep[:, :1], memory["state"])
            inputs = torch.cat([first, inputs[:, 1:]], dim=1)
        state = recur(keep, inputs)
        if memory is not None:
            memory["state"] = state[:, -1:]
        return linear(state.to(hidden.dtype), self.output)


def _opening(size: int, memory: float) -> Float[Tensor, " size"]:
    """Return the logit of a gate that remembers 2 tokens in the first channel and ``memory`` in the last."""
    share = torch.arange(size, dtype=torch.float64) / max(1, size - 1)
    return -torch.log(2 * (memory / 2) ** share - 1).float()
