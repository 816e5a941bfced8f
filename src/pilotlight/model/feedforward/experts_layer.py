"""The layer of a mixture of experts."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
import torch.nn.functional as functional
from jaxtyping import Float, Int
from torch import Tensor, nn

from pilotlight.model.feedforward._gated import GatedLayer
from pilotlight.model.layer import WHOLE, FeedForwardLayer, Rows
from pilotlight.model.weight import Role, matrix, weight

if TYPE_CHECKING:
    from pilotlight.model.feedforward.experts import Experts
    from pilotlight.model.parametrisation import Parametrisation


@final
class ExpertsLayer(FeedForwardLayer):
    """A router, the experts it chooses among, and those that every token goes to."""

    def __init__(self, settings: Experts, width: int, rules: Parametrisation) -> None:
        super().__init__()
        self.settings = settings
        count, size = settings.experts, max(1, round(settings.expansion * width))
        self.router = matrix(count, width, rules)
        self.gate = _matrices(count, size, width, rules)
        self.up = _matrices(count, size, width, rules)
        self.down = _matrices(count, width, size, rules)
        self.shared = GatedLayer(width, settings.shared * size, rules) if settings.shared else None
        self.idle = (count - settings.active) * 3 * size * width

    def forward(
        self, hidden: Float[Tensor, "batch time width"], rows: Rows = WHOLE
    ) -> Float[Tensor, "batch time width"]:
        """Return the change of each token; in training ``penalty`` is then what the routing of the rows costs."""
        logits = functional.linear(hidden.float(), self.router)
        shares = logits.softmax(-1)
        weights, chosen = shares.topk(self.settings.active, dim=-1)
        self.penalty = self._penalty(logits, shares, chosen) if rows.training else None
        if self.settings.active > 1:  # the share of a single expert stays, or the router would learn nothing
            weights = weights / weights.sum(-1, keepdim=True)
        # Each token once per expert it goes to; those of an expert beside each other, in their order.
        inputs = hidden.flatten(0, 1).repeat_interleave(self.settings.active, dim=0)
        changed = self._routed(inputs, chosen.flatten()).view(*weights.shape, -1)
        change = (weights[..., None].to(hidden.dtype) * changed).sum(-2)
        return change if self.shared is None else change + self.shared(hidden, rows)

    @torch.compiler.disable()
    def _routed(self, inputs: Float[Tensor, "visits width"], chosen: Int[Tensor, " visits"]) -> Tensor:
        """Return what the chosen expert makes of each input; never compiled, because group sizes follow the text."""
        joined = torch.cat([self.gate, self.up], dim=1)
        if inputs.is_meta:  # shapes only: the same number of inputs for each
            size = -(-len(inputs) // len(joined))
            even = functional.pad(inputs, (0, 0, 0, size * len(joined) - len(inputs)))
            gate, up = (even.view(len(joined), size, -1) @ joined.mT).chunk(2, dim=-1)
            return ((functional.silu(gate) * up) @ self.down.mT).flatten(0, 1)[: len(inputs)]
        order = chosen.argsort(stable=True)
        counts = chosen.bincount(minlength=len(joined))
        gate, up = _grouped(inputs[order], joined, counts).chunk(2, dim=-1)
        changed = _grouped(functional.silu(gate) * up, self.down, counts)
        return changed[order.argsort()]

    def _penalty(self, logits: Tensor, shares: Tensor, chosen: Tensor) -> Float[Tensor, "batch time"]:
        """Return the nats that each token costs for the routing of its row.

        The mean over a row is balance x sum over experts of (its share of the visits x number of experts) x (the mean
        of its router shares): 1 x balance for an even load. It depends on nothing but the row.
        """
        settings = self.settings
        visits = functional.one_hot(chosen, settings.experts).sum(2).float().mean(1, keepdim=True)
        load = visits * (settings.experts / settings.active)
        return settings.balance * (load * shares).sum(-1) + settings.router_z_loss * logits.logsumexp(-1).square()


def _matrices(count: int, outputs: int, inputs: int, rules: Parametrisation) -> nn.Parameter:
    """Return the parameter that holds a matrix for each expert, [count outputs inputs]."""
    start, scaling = rules.matrix_start(inputs), rules.scaling(Role.MATRIX)
    return weight(count, outputs, inputs, start=start, role=Role.MATRIX, scaling=scaling)


def _grouped(
    inputs: Float[Tensor, "visits inputs"],
    matrices: Float[Tensor, "groups outputs inputs"],
    counts: Int[Tensor, " groups"],
) -> Float[Tensor, "visits outputs"]:
    """Return each group of neighbouring inputs times its matrix, ``counts`` of them in each."""
    matrices = matrices.to(inputs.dtype)
    if _has_kernel(inputs, matrices):  # which does not wait for the counts
        return functional.grouped_mm(inputs, matrices.mT, offs=counts.cumsum(0).to(torch.int32))
    parts = zip(inputs.split(counts.tolist()), matrices, strict=True)
    return torch.cat([functional.linear(part, one) for part, one in parts])


def _has_kernel(inputs: Tensor, matrices: Tensor) -> bool:
    """Return whether torch has one kernel for all groups: in bf16, with rows of whole 16 bytes."""
    whole = all(size % 8 == 0 for size in matrices.shape[1:])
    return inputs.is_cuda and inputs.dtype is torch.bfloat16 and whole
