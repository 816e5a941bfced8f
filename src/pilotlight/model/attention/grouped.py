"""Grouped-query attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.model.attention import Attention

if TYPE_CHECKING:
    from pilotlight.model.layer import AttentionLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class Grouped(Attention):
    """Full causal attention in which groups of query heads share a key-value head (Ainslie et al. 2023).

    The number of heads follows the width: ``width / head_dim`` of them, each of a fixed size, so that attention
    behaves alike at all widths. ``queries_per_kv`` 1 is multi-head attention (Vaswani et al. 2017).
    """

    queries_per_kv: int = Field(default=1, ge=1)
    """Query heads that share one key-value head; 1 gives each its own."""
    qk_norm: bool = True
    """Normalise queries and keys per head (Henry et al. 2020), which bounds the attention logits."""

    @property
    def width_step(self) -> int:
        """Return the number the model's width has to be a multiple of."""
        return self.head_dim * self.queries_per_kv

    def build(self, width: int, rules: Parametrisation) -> AttentionLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.attention.grouped_layer import GroupedLayer

        return GroupedLayer(self, width, rules)
