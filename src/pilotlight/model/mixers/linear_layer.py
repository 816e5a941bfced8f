"""The layer of linear attention with a decay that depends on the token."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
import torch.nn.functional as functional
from jaxtyping import Float, Int
from torch import Tensor

from pilotlight.model.layer import WHOLE, Memory, MixerLayer, PositionLayer, Rows, linear
from pilotlight.model.mixers._forwards import cut, fading, forwards_only, joined, lasting, recur
from pilotlight.model.norms.rms_layer import rms_norm
from pilotlight.model.weight import matrix, vector

if TYPE_CHECKING:
    from pilotlight.model.mixers.linear import Linear
    from pilotlight.model.parametrisation import Parametrisation


@final
class LinearLayer(MixerLayer):
    """A state per head that is written by keys and values, fades, and is read by queries."""

    lasting: Tensor

    def __init__(self, settings: Linear, width: int, rules: Parametrisation) -> None:
        super().__init__()
        self.head_dim = settings.head_dim
        self.heads = width // settings.head_dim
        self.block = settings.block
        self.query = matrix(width, width, rules)
        self.key = matrix(width, width, rules)
        self.value = matrix(width, width, rules)
        self.gate = matrix(width, width, rules)
        self.decay = matrix(self.heads, width, rules)
        self.output = matrix(width, width, rules)
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
        forwards_only("linear", rows)
        batch, time, width = hidden.shape
        together = linear(hidden, torch.cat([self.query, self.key, self.value, self.gate, self.decay]))
        split, gate, decay = together.split([3 * width, width, self.heads], dim=2)
        query, key, value = split.view(batch, time, 3 * self.heads, self.head_dim).chunk(3, dim=2)
        # Positive features (Katharopoulos et al. 2020): a product near zero would be blown up by the norm, rounding too.
        query, key = (position.at_attention(functional.elu(part) + 1, rows) for part in (query, key))
        log_decay = functional.logsigmoid(decay.float() + self.bias + self.lasting)
        state = memory.get("state", _empty(key, value)) if memory is not None else None
        mixed, state = read_states(query, key, value, log_decay, self.block, rows.documents, state)
        if memory is not None and state is not None:
            memory["state"] = state
        return linear(rms_norm(mixed, self.gain).flatten(2) * functional.silu(gate), self.output)


def read_states(
    query: Float[Tensor, "batch time heads size"],
    key: Float[Tensor, "batch time heads size"],
    value: Float[Tensor, "batch time heads value_size"],
    log_decay: Float[Tensor, "batch time heads"],
    block: int,
    documents: Int[Tensor, "batch known"] | None = None,
    state: Float[Tensor, "batch heads size value_size"] | None = None,
) -> tuple[Float[Tensor, "batch time heads value_size"], Float[Tensor, "batch heads size value_size"] | None]:
    """Return ``query[t] @ state[t] / size`` with ``state[t] = exp(log_decay[t]) * state[t - 1] + key[t] value[t]^T``.

    The row is taken in blocks: within one, products of queries and keys with the decay between them; from one to the next,
    the state alone, whose recurrence over blocks is taken in parallel. Decays and states are float32. A ``state`` before
    the row is given where the one after it is wanted, which is the second result.
    """
    time, size = query.shape[1], query.shape[3]
    block = min(block, time)
    queries, keys, values = (cut(part, block) for part in (query, key, value))
    fade = fading(log_decay, block, documents)
    mixed = ((queries @ keys.transpose(-1, -2)) * fade.between.to(query.dtype)) @ values
    if time > block or state is not None:
        written = (keys * fade.until[..., None].to(query.dtype)).transpose(-1, -2) @ values
        first = written.new_zeros(written[:, :1].shape) if state is None else state[:, None]
        kept = functional.pad(fade.across, (0, 0, 1, 0))[..., None, None]
        inputs = torch.cat([first.float(), written.float()], dim=1)
        states = recur(kept.expand(inputs.shape), inputs)
        read = queries @ states[:, :-1].to(query.dtype)
        mixed = mixed + read * fade.since.to(query.dtype)[..., None]
        state = states[:, -1] if state is not None else None
    return joined(mixed / size, time), state


def _empty(key: Tensor, value: Tensor) -> Tensor:
    """Return the state of heads before their first token."""
    return key.new_zeros(key.shape[0], key.shape[2], key.shape[3], value.shape[3], dtype=torch.float32)
