"""What draws orthogonal matrices."""

from __future__ import annotations

import torch


def draw(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Return float32 values of mean 0 and variance 1."""
    *before, outputs, inputs = shape
    drawn = torch.randn(*before, max(outputs, inputs), min(outputs, inputs), generator=generator, dtype=torch.float32)
    columns, upper = torch.linalg.qr(drawn)
    # The signs of the diagonal make it the uniform distribution over such matrices (Mezzadri 2007).
    columns = columns * upper.diagonal(dim1=-2, dim2=-1).sign()[..., None, :]
    return (columns if outputs >= inputs else columns.mT) * max(outputs, inputs) ** 0.5
