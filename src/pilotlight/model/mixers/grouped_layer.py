"""The layer of grouped-query attention, to all tokens or to near ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.attend import Reach, attend
from pilotlight.model.layer import WHOLE, Memory, MixerLayer, PositionLayer, Rows, linear, remembered
from pilotlight.model.norms.rms_layer import rms_norm
from pilotlight.model.weight import matrix, vector

if TYPE_CHECKING:
    from pilotlight.model.mixers.grouped import Grouped
    from pilotlight.model.parametrisation import Parametrisation


@final
class GroupedLayer(MixerLayer):
    """Attention of query heads that share key-value heads; with a ``window`` to the last so many tokens only."""

    def __init__(self, settings: Grouped, width: int, rules: Parametrisation, window: int | None = None) -> None:
        super().__init__()
        size = settings.head_dim
        self.head_dim = size
        self.window = window
        self.cap = settings.cap
        self.heads = settings.heads or width // size
        self.kv_heads = self.heads // settings.queries_per_kv
        self.query = matrix(self.heads * size, width, rules)
        self.key = matrix(self.kv_heads * size, width, rules)
        self.value = matrix(self.kv_heads * size, width, rules)
        self.output = matrix(width, self.heads * size, rules)
        at_inputs = settings.bias != "none"
        self.query_bias = vector(self.heads * size, rules, value=0.0) if at_inputs else None
        self.key_bias = vector(self.kv_heads * size, rules, value=0.0) if at_inputs else None
        self.value_bias = vector(self.kv_heads * size, rules, value=0.0) if at_inputs else None
        self.output_bias = vector(width, rules, value=0.0) if settings.bias == "all" else None
        self.query_gain = vector(size, rules, value=1.0) if settings.qk_norm else None
        self.key_gain = vector(size, rules, value=1.0) if settings.qk_norm else None

    def forward(
        self,
        hidden: Float[Tensor, "batch time width"],
        position: PositionLayer,
        rows: Rows = WHOLE,
        memory: Memory | None = None,
    ) -> Float[Tensor, "batch time width"]:
        """Return what each token takes from the tokens it sees."""
        batch, time, _ = hidden.shape
        joined = linear(hidden, torch.cat([self.query, self.key, self.value]), self._bias())
        split = joined.view(batch, time, self.heads + 2 * self.kv_heads, self.head_dim)
        query, key, value = split.split([self.heads, self.kv_heads, self.kv_heads], dim=2)
        if self.query_gain is not None and self.key_gain is not None:
            query, key = rms_norm(query, self.query_gain), rms_norm(key, self.key_gain)
        query, key = position.at_attention(query, rows), position.at_attention(key, rows)
        key, value = remembered(memory, "key", key), remembered(memory, "value", value)
        if self.window is not None:
            rows = self._forget(memory, rows, key.shape[1])
        bounds = Reach(window=self.window, slopes=position.slopes(self.heads), cap=self.cap)
        mixed = attend(query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), rows, bounds)
        joined = mixed.transpose(1, 2).reshape(batch, time, self.heads * self.head_dim)
        return linear(joined, self.output, self.output_bias)

    def _forget(self, memory: Memory | None, rows: Rows, known: int) -> Rows:
        """Drop from the memory what no later token sees; return what is known of the tokens that it held until now."""
        assert self.window is not None
        if memory is not None and rows.visible is None:
            # A prefix is seen from everywhere; without one, nothing before the window is needed again.
            for name, held in list(memory.items()):
                memory[name] = held[:, max(0, held.shape[1] - self.window + 1) :]
        return rows if rows.documents is None else rows._replace(documents=rows.documents[:, -known:])

    def _bias(self) -> Tensor | None:
        if self.query_bias is None or self.key_bias is None or self.value_bias is None:
            return None
        return torch.cat([self.query_bias, self.key_bias, self.value_bias])
