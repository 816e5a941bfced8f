"""What draws the uniform distribution."""

from __future__ import annotations

import torch


def draw(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Return float32 values of mean 0 and variance 1."""
    return (torch.rand(shape, generator=generator, dtype=torch.float32) * 2 - 1) * 3**0.5
