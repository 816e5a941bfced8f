"""The layer of multi-head latent attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pilotlight.model.attend import Reach, attend
from pilotlight.model.layer import WHOLE, Memory, MixerLayer, PositionLayer, Rows, linear, remembered
from pilotlight.model.norms.rms_layer import rms_norm
from pilotlight.model.weight import matrix, vector

if TYPE_CHECKING:
    from pilotlight.model.mixers.latent import Latent
    from pilotlight.model.parametrisation import Parametrisation


@final
class LatentLayer(MixerLayer):
    """Attention whose keys and values are made from a short vector per token."""

    def __init__(self, settings: Latent, width: int, rules: Parametrisation) -> None:
        super().__init__()
        size = settings.head_dim
        self.head_dim = size
        self.heads = width // size
        self.latent = max(1, round(settings.latent * width))
        self.query = matrix(self.heads * size, width, rules)
        self.placed_query = matrix(self.heads * size, width, rules)
        self.compress = matrix(self.latent, width, rules)
        self.placed_key = matrix(size, width, rules)
        self.latent_gain = vector(self.latent, rules, value=1.0)
        self.key = matrix(self.heads * size, self.latent, rules)
        self.value = matrix(self.heads * size, self.latent, rules)
        self.output = matrix(width, self.heads * size, rules)
        self.query_gain = self._gain(settings, rules)
        self.placed_query_gain = self._gain(settings, rules)
        self.key_gain = self._gain(settings, rules)
        self.placed_key_gain = self._gain(settings, rules)

    def forward(
        self,
        hidden: Float[Tensor, "batch time width"],
        position: PositionLayer,
        rows: Rows = WHOLE,
        memory: Memory | None = None,
    ) -> Float[Tensor, "batch time width"]:
        """Return what each token takes from the tokens it sees.

        A memory holds the short vectors and the placed keys; keys and values are made from them anew with every call.
        """
        batch, time, _ = hidden.shape
        joined = linear(hidden, torch.cat([self.query, self.placed_query, self.placed_key, self.compress]))
        split, latent = joined.split([(2 * self.heads + 1) * self.head_dim, self.latent], dim=2)
        parts = split.view(batch, time, 2 * self.heads + 1, self.head_dim)
        query, placed_query, placed_key = parts.split([self.heads, self.heads, 1], dim=2)
        placed_query = position.at_attention(_normed(placed_query, self.placed_query_gain), rows)
        placed_key = position.at_attention(_normed(placed_key, self.placed_key_gain), rows)
        placed_key = remembered(memory, "placed_key", placed_key)
        short = remembered(memory, "short", rms_norm(latent, self.latent_gain))
        opened = linear(short, torch.cat([self.key, self.value])).unflatten(2, (2 * self.heads, self.head_dim))
        key, value = opened.chunk(2, dim=2)
        query, key = _normed(query, self.query_gain), _normed(key, self.key_gain)
        queries = torch.cat([query, placed_query], dim=3)
        keys = torch.cat([key, placed_key.expand_as(key)], dim=3)
        bounds = Reach(slopes=position.slopes(self.heads))
        mixed = attend(queries.transpose(1, 2), keys.transpose(1, 2), value.transpose(1, 2), rows, bounds)
        return linear(mixed.transpose(1, 2).reshape(batch, time, self.heads * self.head_dim), self.output)

    def _gain(self, settings: Latent, rules: Parametrisation) -> nn.Parameter | None:
        return vector(self.head_dim, rules, value=1.0) if settings.qk_norm else None


def _normed(heads: Tensor, gain: Tensor | None) -> Tensor:
    return heads if gain is None else rms_norm(heads, gain)
