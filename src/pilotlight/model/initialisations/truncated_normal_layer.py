"""What draws the truncated normal distribution."""

from __future__ import annotations

import torch

REMAINING = 0.87962566103423978
"""Standard deviation of a unit normal distribution without what lies beyond 2; made up for, so that the variance is as said."""


def draw(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Return float32 values of mean 0 and variance 1."""
    values = torch.empty(shape, dtype=torch.float32)
    torch.nn.init.trunc_normal_(values, std=1 / REMAINING, a=-2 / REMAINING, b=2 / REMAINING, generator=generator)
    return values
