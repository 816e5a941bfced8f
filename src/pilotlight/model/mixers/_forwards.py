"""What mixers that go forwards through a row have in common: no looking ahead, and a new start with every document."""

from __future__ import annotations

from typing import Any, NamedTuple, final

import torch
import torch.nn.functional as functional
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pilotlight.errors import ConfigError
from pilotlight.model.layer import Memory, Rows


def forwards_only(kind: str, rows: Rows) -> None:
    """Return nothing where each token sees only those before it.

    Raises:
        ConfigError: the rows let tokens see later ones.
    """
    if rows.causal and rows.visible is None:
        return
    asked = "every token sees the whole row" if not rows.causal else "the first tokens of a row see each other"
    raise ConfigError(
        f"the mixer {kind!r} goes forwards through a row, but the objective asks that {asked}; expected a mixer that "
        "looks both ways, such as grouped, window or latent, or an objective that goes forwards, such as next_token"
    )


def begins(documents: Int[Tensor, "batch known"], time: int) -> Bool[Tensor, "batch time"]:
    """Return which of the last ``time`` tokens are the first of their document in the row."""
    return functional.pad(documents[:, 1:] != documents[:, :-1], (1, 0), value=True)[:, -time:]


def recall(memory: Memory | None, name: str, new: Tensor, most: int) -> Tensor | None:
    """Return the tokens before ``new`` [batch time *size] that the memory holds, and keep the last ``most`` of all there.

    None where there is no memory or nothing in it.
    """
    if memory is None:
        return None
    before = memory.get(name)
    known = new if before is None else torch.cat([before, new], dim=1)
    memory[name] = known[:, max(0, known.shape[1] - most) :]
    return before


def convolve_channels(
    inputs: Float[Tensor, "batch time channels"],
    taps: Float[Tensor, "reach channels"],
    documents: Int[Tensor, "batch known"] | None = None,
    before: Float[Tensor, "batch reached channels"] | None = None,
) -> Float[Tensor, "batch time channels"]:
    """Return ``sum_d taps[d] * inputs[t - d]`` for every channel by itself, as sums of shifted inputs.

    ``before`` are inputs before the first. Those of another document count as zero; ``documents`` are of all tokens up to
    the last one.
    """
    time = inputs.shape[1]
    known = 0 if before is None else before.shape[1]
    reach = min(time + known, len(taps))
    rounded = taps.to(inputs.dtype)
    padded = inputs if before is None else torch.cat([before, inputs], dim=1)
    padded = functional.pad(padded, (0, 0, reach - 1 - known, 0))
    outputs = inputs * rounded[0]
    for distance in range(1, reach):
        low = reach - 1 - distance
        shifted = padded[:, low : low + time]
        if documents is not None:
            theirs = functional.pad(documents, (distance, 0), value=-1)[:, -time - distance : -distance]
            shifted = shifted.masked_fill((documents[:, -time:] != theirs)[..., None], 0.0)
        outputs = torch.addcmul(outputs, shifted, rounded[distance])
    return outputs


def cut(part: Float[Tensor, "batch time heads size"], block: int) -> Float[Tensor, "batch blocks heads block size"]:
    """Return the row in blocks; after its end stand zeros."""
    batch, time, heads, size = part.shape
    blocks = -(-time // block)
    padded = functional.pad(part, (0, 0, 0, 0, 0, blocks * block - time))
    return padded.view(batch, blocks, block, heads, size).transpose(2, 3)


def joined(blocks: Float[Tensor, "batch blocks heads block size"], time: int) -> Float[Tensor, "batch time heads size"]:
    """Return the first ``time`` tokens of rows that were cut into blocks."""
    batch, count, heads, block, size = blocks.shape
    return blocks.transpose(2, 3).reshape(batch, count * block, heads, size)[:, :time]


class Fading(NamedTuple):
    """What is left of states that fade from token to token, in rows cut into blocks; float32, from 0 to 1.

    Every entry is the exponential of a sum of decays from one token to a later one, so none is above one and nothing
    overflows, however fast a head forgets. It is zero where another document lies between the two.
    """

    between: Float[Tensor, "batch blocks heads block block"]
    """Of what the token of the column wrote, at the token of the row; zero above the diagonal."""
    since: Float[Tensor, "batch blocks heads block"]
    """Of the state before the block, at each token."""
    until: Float[Tensor, "batch blocks heads block"]
    """Of what each token wrote, at the end of the block."""
    across: Float[Tensor, "batch blocks heads"]
    """Of the state before the block, at its end."""


def fading(
    log_decay: Float[Tensor, "batch time heads"], block: int, documents: Int[Tensor, "batch known"] | None
) -> Fading:
    """Return how states fade that are multiplied by ``exp(log_decay[t])`` at every token.

    ``documents`` are of all tokens up to the last one, so also of those before the first decay.
    """
    total = cut(log_decay[..., None], block).squeeze(-1).cumsum(-1)
    earlier = torch.ones(block, block, dtype=torch.bool, device=total.device).tril()
    if documents is None:
        between = (total[..., :, None] - total[..., None, :]).masked_fill(~earlier, float("-inf")).exp()
        return Fading(between, total.exp(), (total[..., -1:] - total).exp(), total[..., -1].exp())
    time, known = log_decay.shape[1], documents.shape[1]
    blocks = -(-time // block)
    filled = torch.cat([documents[:, known - time :], documents[:, -1:].expand(-1, blocks * block - time)], dim=1)
    mine = filled.view(-1, blocks, 1, block)
    last = mine[..., -1:]
    ahead = documents[:, max(0, known - time - 1), None, None, None]
    before = torch.cat([ahead, last[:, :-1]], dim=1)
    seen = earlier & (mine[..., :, None] == mine[..., None, :])
    return Fading(
        (total[..., :, None] - total[..., None, :]).masked_fill(~seen, float("-inf")).exp(),
        total.exp() * (mine == before),
        (total[..., -1:] - total).exp() * (mine == last),
        total[..., -1].exp() * (last == before).squeeze(-1),
    )


def lasting(places: int, memory: float) -> Float[Tensor, " places"]:
    """Return the logits of decays that remember from 2 tokens in the first place to ``memory`` in the last."""
    share = (torch.arange(places, dtype=torch.float64) + 0.5) / places
    return torch.log(2 * (memory / 2) ** share - 1).float()


def recur(keep: Float[Tensor, "batch time *size"], inputs: Float[Tensor, "batch time *size"]) -> Tensor:
    """Return ``state[t] = keep[t] * state[t - 1] + inputs[t]`` from a zero state, [batch time *size].

    Exact for shares to keep between 0 and 1, zero included: nothing is divided and no logarithm is taken. The work grows
    with the length, the number of dependent steps with its logarithm; the backward pass is the same recurrence backwards
    and keeps the states only.
    """
    return _Recurrence.apply(keep, inputs)  # pyright: ignore


@final
class _Recurrence(torch.autograd.Function):
    generate_vmap_rule = True

    @staticmethod
    def forward(keep: Tensor, inputs: Tensor) -> Tensor:
        state = _scan(keep, inputs)
        return state.clone() if state is inputs else state  # an input itself could not be kept for the way back

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        ctx.save_for_backward(inputs[0], output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        keep, state = ctx.saved_tensors
        # What a state is worth is its own gradient and what the next state keeps of it.
        kept = torch.cat([keep[:, 1:], torch.zeros_like(keep[:, :1])], dim=1)
        worth = _scan(kept.flip(1), gradients[0].flip(1)).flip(1)
        before = torch.cat([torch.zeros_like(state[:, :1]), state[:, :-1]], dim=1)
        return worth * before, worth


def _scan(keep: Tensor, inputs: Tensor) -> Tensor:
    """Return all states by joining neighbours, solving for half as many steps, and filling in the others.

    Blelloch 1990, "Prefix sums and their applications".
    """
    time = inputs.shape[1]
    if time == 1:
        return inputs
    even = time - time % 2
    first, second = slice(0, even, 2), slice(1, even, 2)
    joined = torch.addcmul(inputs[:, second], keep[:, second], inputs[:, first])
    after = _scan(keep[:, second] * keep[:, first], joined)
    before = torch.cat([torch.zeros_like(after[:, :1]), after[:, :-1]], dim=1)
    pairs = torch.stack([torch.addcmul(inputs[:, first], keep[:, first], before), after], dim=2).flatten(1, 2)
    if even == time:
        return pairs
    return torch.cat([pairs, torch.addcmul(inputs[:, -1:], keep[:, -1:], after[:, -1:])], dim=1)
