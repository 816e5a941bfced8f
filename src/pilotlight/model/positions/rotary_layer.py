"""The layer of rotary positions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, final

import torch
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import WHOLE, PositionLayer, Rows

if TYPE_CHECKING:
    from pilotlight.model.positions.rotary import Stretch

TABLE = 1024
"""Places whose angles are kept; a longer row computes its own at every call."""


def _angles(time: int, size: int, period: float, stretch: Stretch | None) -> tuple[Tensor, Tensor]:
    """Return cosine and signed sine of every place, each [time 1 size], for halves that are paired."""
    frequencies = period ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)
    if stretch is not None:
        frequencies = _stretched(frequencies, stretch)
    angles = torch.outer(torch.arange(time, dtype=torch.float64), frequencies)
    cosine, sine = angles.cos(), angles.sin()
    return torch.cat([cosine, cosine], -1).float()[:, None], torch.cat([-sine, sine], -1).float()[:, None]


def _stretched(frequencies: Tensor, stretch: Stretch) -> Tensor:
    if stretch.rule == "linear":
        return frequencies / stretch.factor
    turns = stretch.original * frequencies / (2 * math.pi)
    kept = ((turns - stretch.low) / (stretch.high - stretch.low)).clamp(0, 1)
    return frequencies * (kept + (1 - kept) / stretch.factor)


@final
class RotaryLayer(PositionLayer):
    """Turns queries and keys; the first half of a head's entries is paired with the second."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, head_dim: int, period: float, stretch: Stretch | None = None) -> None:
        super().__init__()
        self.period, self.stretch = period, stretch
        # Buffers, because a compiled graph would otherwise compute the angles again for every head of every block.
        cosine, sine = _angles(TABLE, head_dim, period, stretch)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)

    def at_input(
        self, hidden: Float[Tensor, "batch time width"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time width"]:
        """Return the embedded tokens unchanged."""
        return hidden

    def at_attention(
        self, heads: Float[Tensor, "batch time heads size"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time heads size"]:
        """Return queries or keys, turned by the angle of their place."""
        first, time = rows.first, rows.first + heads.shape[1]
        cosine, sine = self.cosine[first:time], self.sine[first:time]
        if time > TABLE:
            tables = _angles(time, heads.shape[3], self.period, self.stretch)
            cosine, sine = (table[first:].to(heads.device) for table in tables)
        left, right = heads.chunk(2, dim=-1)
        cosine, sine = cosine.to(heads.dtype), sine.to(heads.dtype)
        return heads * cosine + torch.cat([right, left], -1) * sine
