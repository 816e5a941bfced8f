"""Recurrent cells whose gates look at the state, which therefore take one step after the other, by torch's kernels."""

from __future__ import annotations

from typing import Literal, NamedTuple

import torch
import torch.nn.functional as functional
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pilotlight.model.mixers._forwards import begins

State = tuple[Tensor, ...]
"""What goes from one token to the next, each [batch size]: of a GRU its output, of an LSTM its output and its cell."""


class Cell(NamedTuple):
    """A cell of torch's kind, its gates in torch's order, all of it float32."""

    kind: Literal["lstm", "gru"]
    inputs: Float[Tensor, "gates width"]
    recurrent: Float[Tensor, "gates size"]
    bias: Float[Tensor, " gates"]

    def empty(self, rows: int) -> State:
        """Return the state before the first token."""
        state = self.recurrent.new_zeros(rows, self.recurrent.shape[1])
        return (state, state) if self.kind == "lstm" else (state,)


@torch.compiler.disable
def step_through(
    cell: Cell,
    inputs: Float[Tensor, "batch time width"],
    documents: Int[Tensor, "batch known"] | None,
    state: State | None,
) -> tuple[Float[Tensor, "batch time size"], State]:
    """Return the output of the cell at every token, and the state after the last one.

    Documents are taken as sequences of their own, all at the same time, so short ones take few steps. Not compiled: a
    compiler would write every step out.
    """
    batch, time, _ = inputs.shape
    if inputs.device.type == "meta":
        return _counted(cell, inputs), cell.empty(batch)
    before = state or cell.empty(batch)
    if documents is None:
        return _run(cell, inputs, None, before)
    new = begins(documents, time)
    before = tuple(part.masked_fill(new[:, :1], 0.0) for part in before)
    new[:, 0] = True
    packed = _packed(new)
    # Only the first document of a row goes on from what was before the row, only the last one into what comes after it.
    empty = cell.empty(int(packed.sizes[0]))
    start = tuple(zero.index_copy(0, packed.first, part) for zero, part in zip(empty, before, strict=True))
    output, ends = _run(cell, inputs.flatten(0, 1)[packed.places], packed.sizes, start)
    spread = output.new_zeros(batch * time, output.shape[1]).index_copy(0, packed.places, output)
    return spread.view(batch, time, -1), tuple(part[packed.last] for part in ends)


def _run(cell: Cell, inputs: Tensor, sizes: Tensor | None, state: State) -> tuple[Tensor, State]:
    weights = [cell.inputs, cell.recurrent, cell.bias, torch.zeros_like(cell.bias)]
    # Arguments: biases, one layer, no dropout, gradients wanted, one direction (and, without sizes, rows come first).
    rest = (True, 1, 0.0, torch.is_grad_enabled(), False)
    before = [part[None].contiguous() for part in state]
    run = torch.lstm if cell.kind == "lstm" else torch.gru
    start = before if cell.kind == "lstm" else before[0]
    if sizes is None:
        output, *after = run(inputs, start, weights, *rest, True)  # pyright: ignore
    else:
        output, *after = run(inputs, sizes, start, weights, *rest)  # pyright: ignore
    return output, tuple(part[0] for part in after)


class _Packed(NamedTuple):
    places: Int[Tensor, " tokens"]
    """Places in the flattened rows of all first tokens of documents, then of all second ones, and so on."""
    sizes: Int[Tensor, " longest"]
    """How many first tokens, second ones, and so on there are."""
    first: Int[Tensor, " batch"]
    """Number of the first document of each row, the longest document of all rows being number 0."""
    last: Int[Tensor, " batch"]


def _packed(new: Bool[Tensor, "batch time"]) -> _Packed:
    """Return the documents that begin at ``new`` tokens as sequences side by side, the longest first."""
    batch, time = new.shape
    starts = new.flatten().nonzero().squeeze(1)
    lengths, order = torch.diff(starts, append=starts.new_tensor([batch * time])).sort(descending=True, stable=True)
    along = torch.arange(int(lengths[0]), device=new.device)[:, None]
    there = along < lengths
    number = torch.empty_like(order).index_copy(0, order, torch.arange(len(order), device=new.device))
    first = (starts % time == 0).nonzero().squeeze(1)
    last = torch.cat([first[1:], first.new_tensor([len(starts)])]) - 1
    return _Packed((starts[order] + along)[there], there.sum(1).cpu(), number[first], number[last])


def _counted(cell: Cell, inputs: Tensor) -> Tensor:
    """Return what has the shape and the products of the steps: without values their order does not matter."""
    gates = functional.linear(inputs, cell.inputs, cell.bias)
    size = cell.recurrent.shape[1]
    return (gates + functional.linear(gates[..., :size], cell.recurrent))[..., :size]
