"""The decoder itself: embedding, blocks, logits, losses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast, final

import torch
import torch.nn.functional as functional
from jaxtyping import Float, Int
from torch import Tensor, nn

from pilotlight.model.cross_entropy import Shape, token_losses
from pilotlight.model.dropout import dropout
from pilotlight.model.layer import WHOLE, Memory, PositionLayer, Rows, linear
from pilotlight.model.norms.none import NoNorm
from pilotlight.model.output_change import OutputChange, with_bias
from pilotlight.model.weight import Role, Start, restart, vector, weight

if TYPE_CHECKING:
    from pilotlight.model.decoder import Decoder
    from pilotlight.model.mixers import Mixer


ANOTHER_VISIT = 0x632BE5AB
"""What a row's seed grows by before its blocks are gone through again, so that other entries are dropped."""


@final
class Block(nn.Module):
    """One mixer and one feed-forward, joined with the stream of hidden states by the residual."""

    place: Tensor

    def __init__(self, decoder: Decoder, mixer: Mixer, place: int) -> None:
        super().__init__()
        (_, width), rules = decoder.size(), decoder.rules()
        self.dropout = decoder.dropout
        # A tensor, because the compiler would make a graph of its own for every block that holds another number.
        self.register_buffer("place", torch.tensor(2 * place + 1), persistent=False)
        self.residual = decoder.residual.build(width, decoder.norm, rules)
        self.mixer = mixer.build(width, rules)
        self.feedforward = decoder.feedforward.build(width, rules)

    def forward(
        self,
        hidden: Float[Tensor, "batch time width"],
        position: PositionLayer,
        rows: Rows = WHOLE,
        memory: Memory | None = None,
    ) -> Float[Tensor, "batch time width"]:
        """Return the hidden states after this block."""

        def mix(normed: Tensor) -> Tensor:
            return dropout(self.mixer(normed, position, rows, memory), self.dropout, rows, self.place)

        def change(normed: Tensor) -> Tensor:
            return dropout(self.feedforward(normed, rows), self.dropout, rows, self.place + 1)

        return self.residual(hidden, mix, change)


@final
class DecoderModel(nn.Module):
    """A language model with float32 parameters, causal unless the rows say otherwise.

    ``compute_dtype`` (float32 or bfloat16) is the precision of activations and matrix products; norms, softmax and
    losses are float32 inside either way.
    """

    def __init__(self, decoder: Decoder, vocabulary: int) -> None:
        super().__init__()
        _, width = decoder.size()
        rules = decoder.rules()
        self.compute_dtype = torch.float32
        self.vocabulary = vocabulary
        self.output_factor, self.softcap = rules.output, decoder.softcap
        self.dropout, self.repeats = decoder.dropout, decoder.repeats
        self._head = token_losses
        start = Start("normal", decoder.embedding_std)
        table = partial(weight, vocabulary, width, start=start)
        self.embedding = table(role=Role.EMBEDDING, scaling=rules.scaling(Role.EMBEDDING, in_block=False))
        self.position = decoder.position.build(width, decoder.mixers()[0].head_dim, rules)
        self.blocks = nn.ModuleList(Block(decoder, mixer, place) for place, mixer in enumerate(decoder.mixers()))
        self.embedding_norm = decoder.norm.build(width, rules, in_block=False) if decoder.embedding_norm else None
        norm = decoder.norm if decoder.final_norm else NoNorm()
        self.norm = norm.build(width, rules, in_block=False)
        self.change = OutputChange(width, decoder.norm, rules) if decoder.output_change else None
        self.output_bias = vector(vocabulary, rules, value=0.0, in_block=False) if decoder.output_bias else None
        self.output = (
            None if decoder.tied else table(role=Role.OUTPUT, scaling=rules.scaling(Role.OUTPUT, in_block=False))
        )
        restart(self, decoder.initialisation, len(self.blocks) * decoder.repeats)

    def hidden(
        self, ids: Int[Tensor, "batch time"], rows: Rows = WHOLE, memories: Sequence[Memory] | None = None
    ) -> Float[Tensor, "batch time width"]:
        """Return the normalised hidden states from which logits are made, in ``compute_dtype``.

        ``memories`` of ``new_memories()`` hold what was seen of the rows before ``ids``; ``rows.first`` counts it.
        """
        return self._hidden_and_penalties(ids, rows, memories)[0]

    def _hidden_and_penalties(
        self, ids: Tensor, rows: Rows, memories: Sequence[Memory] | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the hidden states, and in training the penalties of every visit of a block, [batch time] each."""
        penalties: list[Tensor] = []
        hidden = functional.embedding(ids, self.embedding).to(self.compute_dtype)
        hidden = self.position.at_input(hidden, rows)
        if self.embedding_norm is not None:
            hidden = self.embedding_norm(hidden)
        hidden = dropout(hidden, self.dropout, rows, 0)
        for visit in range(self.repeats):
            if visit and rows.seeds is not None:
                rows = rows._replace(seeds=rows.seeds + ANOTHER_VISIT)
            for number, block in enumerate(cast("Iterable[Block]", self.blocks)):
                memory = memories[visit * len(self.blocks) + number] if memories is not None else None
                hidden = block(hidden, self.position, rows, memory)
                if rows.training and block.feedforward.penalty is not None:
                    penalties.append(block.feedforward.penalty)
        hidden = self.norm(hidden)
        return hidden if self.change is None else self.change(hidden), penalties

    def new_memories(self) -> list[Memory]:
        """Return an empty memory for every visit of a block, in which a text that is generated is kept."""
        return [{} for _ in range(self.repeats * len(self.blocks))]

    def logits(
        self, ids: Int[Tensor, "batch time"], rows: Rows = WHOLE, memories: Sequence[Memory] | None = None
    ) -> Float[Tensor, "batch time vocabulary"]:
        """Return the float32 logits of the token after each one (of each one itself, for masked objectives)."""
        return self.logits_of(self.hidden(ids, rows, memories))

    def logits_of(self, hidden: Float[Tensor, "*places width"]) -> Float[Tensor, "*places vocabulary"]:
        """Return the float32 logits that belong to the hidden states ``hidden(...)`` of some places."""
        logits = linear(hidden * self.output_factor, self._output_matrix(), self.output_bias).float()
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)

    def losses(
        self,
        ids: Int[Tensor, "batch time"],
        targets: Int[Tensor, "batch time"],
        rows: Rows = WHOLE,
        z_loss: float = 0.0,
    ) -> Float[Tensor, "batch time"]:
        """Return the float32 cross-entropy in nats of every target given the ids its place sees.

        In training (``rows.training``) the penalties of the layers and ``z_loss`` times the square of the logarithm of
        the softmax's denominator (Chowdhery et al. 2022, PaLM) are added.
        """
        hidden, penalties = self._hidden_and_penalties(ids, rows)
        found = self.head(hidden.flatten(0, 1), targets.flatten(), z_loss if rows.training else 0.0).view(targets.shape)
        for penalty in penalties:
            found = found + penalty
        return found

    def head(
        self, hidden: Float[Tensor, "places width"], targets: Int[Tensor, " places"], z_loss: float = 0.0
    ) -> Float[Tensor, " places"]:
        """Return the nats of ``targets`` given the hidden states ``hidden(...)`` of their places."""
        shape = Shape(self.output_factor, self.softcap, z_loss)
        matrix = self._output_matrix()
        if self.output_bias is not None:
            hidden, matrix = with_bias(hidden, matrix, self.output_bias, 1 / self.output_factor)
        return self._head(hidden, matrix, targets, shape)

    def forward(
        self,
        ids: Int[Tensor, "batch time"],
        targets: Int[Tensor, "batch time"],
        rows: Rows = WHOLE,
        z_loss: float = 0.0,
    ) -> Float[Tensor, "batch time"]:
        """Return ``losses(ids, targets, rows, z_loss)``: what ``torch.compile(model)`` compiles."""
        return self.losses(ids, targets, rows, z_loss)

    def compile_parts(self) -> None:
        """Compile the block and the head in place, for static shapes, in a third of the time the whole model takes.

        All blocks of a kind share one graph, whatever the depth, and run as fast as a graph of the whole model.
        """
        for block in self.blocks:
            block.compile(dynamic=False)
        self._head = torch.compile(token_losses, dynamic=False)

    def _output_matrix(self) -> Tensor:
        return self.embedding if self.output is None else self.output
