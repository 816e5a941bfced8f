"""The layer of grouped-query attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
import torch.nn.functional as functional
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import AttentionLayer, PositionLayer, linear
from pilotlight.model.norms.rms_layer import rms_norm
from pilotlight.model.weight import matrix, vector

if TYPE_CHECKING:
    from pilotlight.model.attention.grouped import Grouped
    from pilotlight.model.parametrisation import Parametrisation


@final
class GroupedLayer(AttentionLayer):
    """Causal attention of query heads that share key-value heads."""

    def __init__(self, settings: Grouped, width: int, rules: Parametrisation) -> None:
        super().__init__()
        size = settings.head_dim
        self.head_dim = size
        self.heads = width // size
        self.kv_heads = self.heads // settings.queries_per_kv
        self.query = matrix(self.heads * size, width, rules)
        self.key = matrix(self.kv_heads * size, width, rules)
        self.value = matrix(self.kv_heads * size, width, rules)
        self.output = matrix(width, self.heads * size, rules)
        self.query_gain = vector(size, rules, value=1.0) if settings.qk_norm else None
        self.key_gain = vector(size, rules, value=1.0) if settings.qk_norm else None

    def forward(
        self, hidden: Float[Tensor, "batch time width"], position: PositionLayer
    ) -> Float[Tensor, "batch time width"]:
        """Return what each token takes from itself and the tokens before it."""
        batch, time, _ = hidden.shape
        joined = linear(hidden, torch.cat([self.query, self.key, self.value]))
        split = joined.view(batch, time, self.heads + 2 * self.kv_heads, self.head_dim)
        query, key, value = split.split([self.heads, self.kv_heads, self.kv_heads], dim=2)
        if self.query_gain is not None and self.key_gain is not None:
            query, key = rms_norm(query, self.query_gain), rms_norm(key, self.key_gain)
        query, key = position.at_attention(query), position.at_attention(key)
        mixed = functional.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2),
            is_causal=True, enable_gqa=self.kv_heads != self.heads,
        )  # fmt: skip
        return linear(mixed.transpose(1, 2).reshape(batch, time, self.heads * self.head_dim), self.output)
