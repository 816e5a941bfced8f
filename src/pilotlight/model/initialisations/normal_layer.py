"""What draws the normal distribution."""

from __future__ import annotations

import torch


def draw(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Return float32 values of mean 0 and variance 1."""
    return torch.randn(shape, generator=generator, dtype=torch.float32)
