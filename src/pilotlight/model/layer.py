"""What the exchangeable layers of a decoder promise, and the matrix product they share."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor, nn


def linear(inputs: Float[Tensor, "*rows inputs"], matrix: Float[Tensor, "outputs inputs"]) -> Tensor:
    """Return ``inputs @ matrix.T``, [*rows outputs], in the precision of the inputs.

    The parameter stays float32; only this use of it is rounded.
    """
    return functional.linear(inputs, matrix.to(inputs.dtype))


class PositionLayer(nn.Module, ABC):
    """Tells the model where a token stands, at the input, in the attention, or both."""

    @abstractmethod
    def at_input(self, hidden: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch time width"]:
        """Return the embedded tokens with their place."""

    @abstractmethod
    def at_attention(self, heads: Float[Tensor, "batch time heads size"]) -> Float[Tensor, "batch time heads size"]:
        """Return queries or keys with their place."""


class AttentionLayer(nn.Module, ABC):
    """Moves information between the tokens of a row, never from later to earlier ones."""

    @abstractmethod
    def forward(
        self, hidden: Float[Tensor, "batch time width"], position: PositionLayer
    ) -> Float[Tensor, "batch time width"]:
        """Return what each token takes from itself and the tokens before it."""


class FeedForwardLayer(nn.Module, ABC):
    """Changes each token by itself."""

    @abstractmethod
    def forward(self, hidden: Float[Tensor, "batch time width"]) -> Float[Tensor, "batch time width"]:
        """Return the change of each token."""


class NormLayer(nn.Module, ABC):
    """Brings each vector to a common size."""

    @abstractmethod
    def forward(self, hidden: Float[Tensor, "*rows size"]) -> Float[Tensor, "*rows size"]:
        """Return the vectors, normalised over the last dimension, in the precision they came in."""
