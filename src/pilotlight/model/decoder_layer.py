"""The decoder itself: embedding, blocks, logits, losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
import torch.nn.functional as functional
from jaxtyping import Float, Int
from torch import Tensor, nn

from pilotlight.model.cross_entropy import token_losses
from pilotlight.model.layer import PositionLayer, linear
from pilotlight.model.weight import Role, Start, weight

if TYPE_CHECKING:
    from pilotlight.model.decoder import Decoder


@final
class Block(nn.Module):
    """One attention and one feed-forward, each normalised before and added after."""

    def __init__(self, decoder: Decoder, width: int) -> None:
        super().__init__()
        rules = decoder.rules()
        self.branch = rules.branch
        self.attention_norm = decoder.norm.build(width, rules)
        self.attention = decoder.attention.build(width, rules)
        self.feedforward_norm = decoder.norm.build(width, rules)
        self.feedforward = decoder.feedforward.build(width, rules)

    def forward(
        self, hidden: Float[Tensor, "batch time width"], position: PositionLayer
    ) -> Float[Tensor, "batch time width"]:
        """Return the hidden states after this block."""
        hidden = hidden + self.branch * self.attention(self.attention_norm(hidden), position)
        return hidden + self.branch * self.feedforward(self.feedforward_norm(hidden))


@final
class DecoderModel(nn.Module):
    """A decoder-only language model with float32 parameters.

    ``compute_dtype`` (float32 or bfloat16) is the precision of activations and matrix products; norms, softmax and
    losses are float32 inside either way.
    """

    def __init__(self, decoder: Decoder, vocabulary: int) -> None:
        super().__init__()
        depth, width = decoder.size()
        rules = decoder.rules()
        self.compute_dtype = torch.float32
        self.vocabulary = vocabulary
        self.output_factor = rules.output
        self._head = token_losses
        start = Start("normal", decoder.embedding_std)
        outside = {role: rules.scaling(role, in_block=False) for role in (Role.EMBEDDING, Role.OUTPUT)}
        self.embedding = weight(
            vocabulary, width, start=start, role=Role.EMBEDDING, scaling=outside[Role.EMBEDDING]
        )  # fmt: skip
        self.position = decoder.position.build(width, decoder.attention.head_dim, rules)
        self.blocks = nn.ModuleList(Block(decoder, width) for _ in range(depth))
        self.norm = decoder.norm.build(width, rules, in_block=False)
        self.output = (
            None
            if decoder.tied
            else weight(vocabulary, width, start=start, role=Role.OUTPUT, scaling=outside[Role.OUTPUT])
        )

    def hidden(self, ids: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time width"]:
        """Return the normalised hidden states from which logits are made, in ``compute_dtype``."""
        hidden = functional.embedding(ids, self.embedding).to(self.compute_dtype)
        hidden = self.position.at_input(hidden)
        for block in self.blocks:
            hidden = block(hidden, self.position)
        return self.norm(hidden)

    def logits(self, ids: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time vocabulary"]:
        """Return the float32 logits of the token after each one."""
        return linear(self.hidden(ids) * self.output_factor, self._output_matrix()).float()

    def losses(self, ids: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"]) -> Float[Tensor, "batch time"]:
        """Return the float32 cross-entropy in nats of every target given the ids up to its place."""
        hidden = self.hidden(ids).flatten(0, 1)
        losses = self._head(hidden, self._output_matrix(), targets.flatten(), self.output_factor)
        return losses.view(targets.shape)

    def forward(
        self, ids: Int[Tensor, "batch time"], targets: Int[Tensor, "batch time"]
    ) -> Float[Tensor, "batch time"]:
        """Return ``losses(ids, targets)``: what ``torch.compile(model)`` compiles."""
        return self.losses(ids, targets)

    def compile_parts(self) -> None:
        """Compile the block and the head in place, for static shapes, in a third of the time the whole model takes.

        All blocks share one graph, whatever the depth, and run as fast as a graph of the whole model.
        """
        for block in self.blocks:
            block.compile(dynamic=False)
        self._head = torch.compile(token_losses, dynamic=False)

    def _output_matrix(self) -> Tensor:
        return self.embedding if self.output is None else self.output
