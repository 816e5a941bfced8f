"""What the exchangeable layers of a decoder promise, and what they are told of the rows they work on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
import torch.nn.functional as functional
from jaxtyping import Float, Int
from torch import Tensor, nn

Memory = dict[str, Tensor]
"""What a layer keeps of the tokens before, while a text is generated; its own names, its own shapes."""


class Rows(NamedTuple):
    """What is known of the rows besides their tokens."""

    causal: bool = True
    """Whether a token sees only those before it and itself."""
    documents: Int[Tensor, "batch time"] | None = None
    """Number of the document of each token, never falling along a row: a token sees its own document only. None: a row is
    one document."""
    visible: Int[Tensor, " batch"] | None = None
    """First tokens of each row that all its tokens see, later ones included (a prefix); None: no such prefix."""
    seeds: Int[Tensor, " batch"] | None = None
    """A random number below 2^31 for each row, from which dropout follows; None: nothing is dropped."""
    training: bool = False
    """Whether penalties, such as that of unbalanced experts, are to be worked out."""
    first: int = 0
    """Tokens that came before these in their row, and of which memories know."""


WHOLE = Rows()
"""Whole rows, causal, nothing random."""


def remembered(memory: Memory | None, name: str, new: Float[Tensor, "batch time *size"]) -> Tensor:
    """Return ``new``, [batch all *size], after what the memory holds under ``name``, and keep all of it there."""
    if memory is None:
        return new
    if name in memory:
        new = torch.cat([memory[name], new], dim=1)
    memory[name] = new
    return new


def linear(
    inputs: Float[Tensor, "*rows inputs"],
    matrix: Float[Tensor, "outputs inputs"],
    bias: Float[Tensor, " outputs"] | None = None,
) -> Tensor:
    """Return ``inputs @ matrix.T + bias``, [*rows outputs], in the precision of the inputs.

    The parameters stay float32; only this use of them is rounded.
    """
    return functional.linear(inputs, matrix.to(inputs.dtype), None if bias is None else bias.to(inputs.dtype))


class PositionLayer(nn.Module, ABC):
    """Tells the model where a token stands: at the input, in queries and keys, or in the logits of attention."""

    @abstractmethod
    def at_input(
        self, hidden: Float[Tensor, "batch time width"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time width"]:
        """Return the embedded tokens with their place."""

    @abstractmethod
    def at_attention(
        self, heads: Float[Tensor, "batch time heads size"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time heads size"]:
        """Return queries or keys with their place."""

    def slopes(self, heads: int) -> Float[Tensor, " heads"] | None:
        """Return what each head's logits lose per token of distance; None where they lose nothing."""
        return None


class MixerLayer(nn.Module, ABC):
    """Moves information between the tokens of a row."""

    @abstractmethod
    def forward(
        self,
        hidden: Float[Tensor, "batch time width"],
        position: PositionLayer,
        rows: Rows = WHOLE,
        memory: Memory | None = None,
    ) -> Float[Tensor, "batch time width"]:
        """Return what each token takes from the tokens it sees.

        With a ``memory``, empty at the beginning of a text, ``hidden`` are the tokens after those that went through it
        before, and the result is what a pass over all of them would give for these.
        """


class FeedForwardLayer(nn.Module, ABC):
    """Changes each token by itself."""

    penalty: Float[Tensor, "batch time"] | None = None
    """Nats to add to the loss of each token of the last forward pass in training; None where there are none."""
    idle: int = 0
    """Parameters that a token does not meet, such as those of experts it is not sent to."""

    @abstractmethod
    def forward(
        self, hidden: Float[Tensor, "batch time width"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time width"]:
        """Return the change of each token."""


class NormLayer(nn.Module, ABC):
    """Brings each vector to a common size."""

    @abstractmethod
    def forward(self, hidden: Float[Tensor, "*rows size"]) -> Float[Tensor, "*rows size"]:
        """Return the vectors, normalised over the last dimension, in the precision they came in."""


Branch = Callable[[Tensor], Tensor]
"""Hidden states [batch time width] -> a change of them of the same shape."""


class ResidualLayer(nn.Module, ABC):
    """Joins the two branches of a block with the stream of hidden states that runs past them."""

    @abstractmethod
    def forward(
        self, hidden: Float[Tensor, "batch time width"], mix: Branch, change: Branch
    ) -> Float[Tensor, "batch time width"]:
        """Return the hidden states after ``mix`` (the mixer) and ``change`` (the feed-forward)."""
