"""The layer of the gated convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
import torch.nn.functional as functional
from jaxtyping import Float, Int
from torch import Tensor

from pilotlight.model.layer import WHOLE, Memory, MixerLayer, PositionLayer, Rows, linear
from pilotlight.model.mixers._forwards import convolve_channels, forwards_only, recall
from pilotlight.model.weight import Role, Start, matrix, weight

if TYPE_CHECKING:
    from pilotlight.model.mixers.gated_convolution import GatedConvolution
    from pilotlight.model.parametrisation import Parametrisation

SHORTEST = 4.0
"""Tokens over which the fastest long filter fades to 1/e at the start."""


@final
class GatedConvolutionLayer(MixerLayer):
    """gate * long convolution of (key * value), each after a short convolution per channel."""

    fading: Tensor

    def __init__(self, settings: GatedConvolution, width: int, rules: Parametrisation) -> None:
        super().__init__()
        self.heads = width // settings.head_dim
        self.head_dim = settings.head_dim
        self.gate = matrix(width, width, rules)
        self.key = matrix(width, width, rules)
        self.value = matrix(width, width, rules)
        self.output = matrix(width, width, rules)
        # Taps sum over tokens and not over channels, so their learning rate does not follow the width.
        scaling = rules.scaling(Role.VECTOR)
        start = Start("normal", settings.short**-0.5)
        self.short = weight(settings.short, 3 * width, start=start, role=Role.VECTOR, scaling=scaling)
        start = Start("normal", 1.0)
        self.long = weight(self.heads, settings.long, start=start, role=Role.VECTOR, scaling=scaling)
        self.register_buffer("fading", _fading(self.heads, settings.long), persistent=False)

    def forward(
        self,
        hidden: Float[Tensor, "batch time width"],
        position: PositionLayer,
        rows: Rows = WHOLE,
        memory: Memory | None = None,
    ) -> Float[Tensor, "batch time width"]:
        """Return what each token takes from itself and the tokens before it."""
        forwards_only("gated_convolution", rows)
        batch, time, _ = hidden.shape
        inputs = linear(hidden, torch.cat([self.gate, self.key, self.value]))
        before = recall(memory, "short", inputs, len(self.short) - 1)
        gate, key, value = convolve_channels(inputs, self.short, rows.documents, before).chunk(3, dim=-1)
        products = (key * value).view(batch, time, self.heads, self.head_dim)
        before = recall(memory, "long", products, self.long.shape[1] - 1)
        mixed = convolve_heads(products, self.long * self.fading, rows.documents, before)
        return linear(gate * mixed.flatten(2), self.output)


def convolve_heads(
    inputs: Float[Tensor, "batch time heads size"],
    taps: Float[Tensor, "heads reach"],
    documents: Int[Tensor, "batch known"] | None = None,
    before: Float[Tensor, "batch reached heads size"] | None = None,
) -> Float[Tensor, "batch time heads size"]:
    """Return ``sum_d taps[d] * inputs[t - d]`` with one filter for all entries of a head.

    The row is taken in blocks as long as the filter; a block depends on itself and the one before it by a matrix whose
    diagonals are the taps. So it is one matrix product per head, exact, and linear in the length of the row. ``before``
    are fewer inputs before the first than the filter is long. ``documents`` (of all tokens up to the last one) make it one
    product per block, row and head, for the matrix is then zero where a row and a column are of two documents.
    """
    batch, time, heads, size = inputs.shape
    block = min(time, taps.shape[1])
    blocks = -(-time // block)
    known = 0 if before is None else before.shape[1]
    ahead = known if blocks == 1 else block
    whole = inputs if before is None else torch.cat([before, inputs], dim=1)
    padded = functional.pad(whole, (0, 0, 0, 0, ahead - known, blocks * block - time))
    matrix = _diagonals(taps.to(inputs.dtype), block, ahead)
    if documents is None:
        pieces = _with_block_before(padded.permute(2, 1, 0, 3).reshape(heads, -1, batch * size), blocks, block, ahead)
        mixed = (matrix[:, None] @ pieces).view(heads, blocks * block, batch, size)
        return mixed[:, :time].permute(2, 1, 0, 3)
    numbers = functional.pad(documents[:, -time - known :], (ahead - known, blocks * block - time), value=-1)
    theirs = _with_block_before(numbers[..., None], blocks, block, ahead).transpose(-1, -2)
    apart = theirs[..., -block:].transpose(-1, -2) != theirs
    matrices = matrix[:, None].masked_fill(apart[:, None], 0.0)
    pieces = _with_block_before(padded.transpose(1, 2).flatten(0, 1), blocks, block, ahead)
    mixed = matrices @ pieces.unflatten(0, (batch, heads))
    return mixed.flatten(2, 3)[:, :, :time].transpose(1, 2)


def _with_block_before(
    padded: Float[Tensor, "rows length size"], blocks: int, block: int, ahead: int
) -> Float[Tensor, "rows blocks columns size"]:
    """Return every block with the ``ahead`` entries before it."""
    if blocks == 1:
        return padded[:, None]
    pieces = padded.unflatten(1, (blocks + 1, block))
    return torch.cat([pieces[:, :-1], pieces[:, 1:]], dim=2)


def _diagonals(taps: Float[Tensor, "heads reach"], block: int, before: int) -> Float[Tensor, "heads block columns"]:
    """Return the matrix with ``taps[d]`` where a row is ``d`` tokens after a column, and 0 elsewhere."""
    row = torch.arange(block, device=taps.device)[:, None]
    distance = row - torch.arange(-before, block, device=taps.device)
    reach = taps.shape[1]
    # The added last tap is zero: it stands for all distances that the filter does not reach.
    index = distance.where((distance >= 0) & (distance < reach), torch.full_like(distance, reach))
    return functional.pad(taps, (0, 1))[:, index]


def _fading(heads: int, reach: int) -> Float[Tensor, "heads reach"]:
    """Return decays that reach from a few tokens to the whole filter over the heads, each with a sum of squares of 1."""
    share = (torch.arange(heads, dtype=torch.float64) + 0.5) / heads
    lasting = SHORTEST * (max(reach, SHORTEST) / SHORTEST) ** share
    decay = torch.exp(-torch.arange(reach, dtype=torch.float64) / lasting[:, None])
    return (decay / decay.square().sum(1, keepdim=True).sqrt()).float()
