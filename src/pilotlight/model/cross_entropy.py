"""Cross-entropy of every token from the last hidden states, without float32 logits in memory."""

from __future__ import annotations

import torch.nn.functional as functional
from jaxtyping import Float, Int
from torch import Tensor

from pilotlight.model.layer import linear


def token_losses(
    hidden: Float[Tensor, "rows width"],
    matrix: Float[Tensor, "vocabulary width"],
    targets: Int[Tensor, " rows"],
    factor: float,
) -> Float[Tensor, " rows"]:
    """Return ``-log softmax(factor * hidden @ matrix.T)[target]`` of every row, in float32 nats."""
    logits = linear(hidden * factor, matrix)
    return functional.cross_entropy(logits.float(), targets, reduction="none")
