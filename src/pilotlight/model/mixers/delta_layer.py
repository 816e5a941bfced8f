"""The layer of the gated delta rule, and the rule itself in blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, final

import torch
import torch.nn.functional as functional
from jaxtyping import Float, Int
from torch import Tensor

from pilotlight.model.layer import WHOLE, Memory, MixerLayer, PositionLayer, Rows, linear
from pilotlight.model.mixers._forwards import convolve_channels, cut, fading, forwards_only, joined, lasting, recall
from pilotlight.model.norms.rms_layer import rms_norm
from pilotlight.model.weight import Role, Start, matrix, vector, weight

if TYPE_CHECKING:
    from pilotlight.model.mixers.delta import Delta
    from pilotlight.model.parametrisation import Parametrisation


@final
class DeltaLayer(MixerLayer):
    """A state per head in which values replace what stood under their keys, and which fades."""

    lasting: Tensor

    def __init__(self, settings: Delta, width: int, rules: Parametrisation) -> None:
        super().__init__()
        self.head_dim = settings.head_dim
        self.heads = width // settings.head_dim
        self.block = settings.block
        self.query = matrix(width, width, rules)
        self.key = matrix(width, width, rules)
        self.value = matrix(width, width, rules)
        self.gate = matrix(width, width, rules)
        self.decay = matrix(self.heads, width, rules)
        self.rate = matrix(self.heads, width, rules)
        self.output = matrix(width, width, rules)
        # Taps sum over tokens and not over channels, so their learning rate does not follow the width.
        start = Start("normal", settings.short**-0.5)
        scaling = rules.scaling(Role.VECTOR)
        self.short = weight(settings.short, 3 * width, start=start, role=Role.VECTOR, scaling=scaling)
        self.bias = vector(self.heads, rules, value=0.0)
        self.gain = vector(self.head_dim, rules, value=1.0)
        self.register_buffer("lasting", lasting(self.heads, settings.memory), persistent=False)

    def forward(
        self,
        hidden: Float[Tensor, "batch time width"],
        position: PositionLayer,
        rows: Rows = WHOLE,
        memory: Memory | None = None,
    ) -> Float[Tensor, "batch time width"]:
        """Return what each token reads from the state of its heads."""
        forwards_only("delta", rows)
        batch, time, width = hidden.shape
        together = linear(hidden, torch.cat([self.query, self.key, self.value, self.gate, self.decay, self.rate]))
        split, gate, decay, rate = together.split([3 * width, width, self.heads, self.heads], dim=2)
        before = recall(memory, "short", split, len(self.short) - 1)
        mixed = functional.silu(convolve_channels(split, self.short, rows.documents, before))
        query, key, value = mixed.view(batch, time, 3 * self.heads, self.head_dim).chunk(3, dim=2)
        log_decay = functional.logsigmoid(decay.float() + self.bias + self.lasting)
        steps = DeltaSteps(unit(query), unit(key), value, log_decay, torch.sigmoid(rate.float()))
        state = memory.get("state", steps.empty()) if memory is not None else None
        read, state = read_corrected(steps, self.block, rows.documents, state)
        if memory is not None and state is not None:
            memory["state"] = state
        return linear(rms_norm(read, self.gain).flatten(2) * functional.silu(gate), self.output)


def unit(heads: Float[Tensor, "*rows size"]) -> Float[Tensor, "*rows size"]:
    """Return vectors of length 1, in the precision of ``heads``."""
    return functional.normalize(heads.float(), dim=-1, eps=1e-6).to(heads.dtype)


class DeltaSteps(NamedTuple):
    """What the delta rule is told at every token."""

    query: Float[Tensor, "batch time heads size"]
    key: Float[Tensor, "batch time heads size"]
    """Of length 1: with a rate up to 1 the state cannot grow without bound."""
    value: Float[Tensor, "batch time heads value_size"]
    log_decay: Float[Tensor, "batch time heads"]
    rate: Float[Tensor, "batch time heads"]

    def empty(self) -> Float[Tensor, "batch heads size value_size"]:
        """Return the state before the first token of a text."""
        batch, _, heads, size = self.key.shape
        return self.key.new_zeros(batch, heads, size, self.value.shape[3], dtype=torch.float32)


def read_corrected(
    steps: DeltaSteps,
    block: int,
    documents: Int[Tensor, "batch known"] | None = None,
    state: Float[Tensor, "batch heads size value_size"] | None = None,
) -> tuple[Float[Tensor, "batch time heads value_size"], Float[Tensor, "batch heads size value_size"] | None]:
    """Return ``state[t]^T query[t]`` for every head and token.

    ``state[t] = kept + rate[t] * key[t] (value[t] - kept^T key[t])^T``, where ``kept = exp(log_decay[t]) * state[t - 1]``.

    Within a block, what each token adds under its key solves a triangular system, for it depends on what the ones before
    it added (the WY form; Yang et al. 2024, arXiv 2406.06484, with decays 2412.06464); from block to block only the state
    goes on. Decays, rates, the solution and states are float32. A ``state`` before the row is given where the one after it
    is wanted, which is the second result.
    """
    time, dtype = steps.query.shape[1], steps.query.dtype
    block = min(block, time)
    queries, keys, values = (cut(part, block) for part in steps[:3])
    rate = cut(steps.rate[..., None], block)
    fade = fading(steps.log_decay, block, documents)
    likeness = (keys @ keys.transpose(-1, -2)).float() * fade.between
    inverse = _Inverse.apply((rate * likeness).tril(-1)) * rate.transpose(-1, -2)  # pyright: ignore
    inverse = inverse.to(dtype)
    since, until = (part[..., None].to(dtype) for part in (fade.since, fade.until))
    added = inverse @ values
    scores = (queries @ keys.transpose(-1, -2)) * fade.between.to(dtype)
    if time <= block and state is None:
        return joined(scores @ added, time), None
    corrected = inverse @ (keys * since)
    leaving = (keys * until).transpose(-1, -2)
    held = steps.empty() if state is None else state
    changes: list[Tensor] = []
    states: list[Tensor] = []
    for number in range(added.shape[1]):
        states.append(held.to(dtype))
        changes.append(added[:, number] - corrected[:, number] @ states[-1])
        kept = held * fade.across[:, number, :, None, None]
        held = kept + (leaving[:, number] @ changes[-1]).float()
    read = (queries * since) @ torch.stack(states, 1) + scores @ torch.stack(changes, 1)
    return joined(read, time), held if state is not None else None


@final
class _Inverse(torch.autograd.Function):
    """The inverse of 1 + a strictly lower triangular matrix; its gradient takes two products in place of two solutions."""

    generate_vmap_rule = True

    @staticmethod
    def forward(lower: Tensor) -> Tensor:
        one = torch.eye(lower.shape[-1], dtype=lower.dtype, device=lower.device)
        return torch.linalg.solve_triangular(lower, one.expand_as(lower), upper=False, unitriangular=True)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (inverse,) = ctx.saved_tensors
        turned = inverse.transpose(-1, -2)
        return -(turned @ gradients[0] @ turned)
