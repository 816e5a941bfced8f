"""The layer of rotary positions."""

from __future__ import annotations

from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import PositionLayer

TABLE = 1024
"""Places whose angles are kept; a longer row computes its own at every call."""


def _angles(time: int, size: int, period: float) -> tuple[Tensor, Tensor]:
    """Return cosine and signed sine of every place, each [time 1 size], for halves that are paired."""
    frequencies = period ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    angles = torch.outer(torch.arange(time, dtype=torch.float64), frequencies)
    cosine, sine = angles.cos(), angles.sin()
    return torch.cat([cosine, cosine], -1).float()[:, None], torch.cat([-sine, sine], -1).float()[:, None]


@final
class RotaryLayer(PositionLayer):
    """Turns queries and keys; the first half of a head's entries is paired with the second."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, head_dim: int, period: float) -> None:
        super().__init__()
        self.period = period
        # Buffers, because a compiled graph would otherwise compute the angles again for every head of every block.
        cosine, sine = _angles(TABLE, head_dim, period)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)

    def at_input(self, hidden: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch time width"]:
        """Return the embedded tokens unchanged."""
        return hidden

    def at_attention(self, heads: Float[Tensor, "batch time heads size"]) -> Float[Tensor, "batch time heads size"]:
        """Return queries or keys, turned by the angle of their place."""
        time = heads.shape[1]
        cosine, sine = self.cosine[:time], self.sine[:time]
        if time > TABLE:
            cosine, sine = (table.to(heads.device) for table in _angles(time, heads.shape[3], self.period))
        first, second = heads.chunk(2, dim=-1)
        cosine, sine = cosine.to(heads.dtype), sine.to(heads.dtype)
        return heads * cosine + torch.cat([second, first], -1) * sine
