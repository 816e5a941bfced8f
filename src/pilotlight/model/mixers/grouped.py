"""Grouped-query attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, final

from pydantic import Field, model_validator

from pilotlight.model.mixers import Mixer

if TYPE_CHECKING:
    from pilotlight.model.layer import MixerLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class Grouped(Mixer):
    """Full causal attention in which groups of query heads share a key-value head (Ainslie et al. 2023).

    The number of heads follows the width: ``width / head_dim`` of them, each of a fixed size, so that attention
    behaves alike at all widths. ``queries_per_kv`` 1 is multi-head attention (Vaswani et al. 2017).
    """

    queries_per_kv: int = Field(default=1, ge=1)
    """Query heads that share one key-value head; 1 gives each its own."""
    qk_norm: bool = True
    """Normalise queries and keys per head (Henry et al. 2020), which bounds the attention logits."""
    heads: int | None = Field(default=None, ge=1)
    """Query heads; null: as many as fill the width. Another number makes queries wider or narrower than the model."""
    bias: Literal["none", "inputs", "all"] = "none"
    """Add a learned vector after no matrix, after those of queries, keys and values, or after all four."""
    cap: float | None = Field(default=None, gt=0)
    """Attention logits are bent to stay below this (Gemma 2); null: not. ``qk_norm`` bounds them too, and is faster."""

    @model_validator(mode="after")
    def _heads_are_shared_evenly(self) -> Self:
        if self.heads is not None and self.heads % self.queries_per_kv:
            raise ValueError(f"heads: {self.heads} is no multiple of queries_per_kv, which is {self.queries_per_kv}")
        return self

    @property
    def width_step(self) -> int:
        """Return the number the model's width has to be a multiple of."""
        return self.head_dim * self.queries_per_kv if self.heads is None else 1

    def build(self, width: int, rules: Parametrisation) -> MixerLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.mixers.grouped_layer import GroupedLayer

        return GroupedLayer(self, width, rules)
