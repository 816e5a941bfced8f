"""Sliding-window attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.model.mixers import Mixer

if TYPE_CHECKING:
    from pilotlight.model.layer import MixerLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class Window(Mixer):
    """Causal attention over the last tokens only (Beltagy et al. 2020), with shared key-value heads as in ``grouped``.

    Time and memory grow with the length of the row times the window. Deeper blocks reach further back: a token sees
    ``depth * (window - 1)`` tokens before it in the end.
    """

    window: int = Field(default=128, ge=1)
    """Tokens that are seen, the token itself included."""
    queries_per_kv: int = Field(default=1, ge=1)
    """Query heads that share one key-value head; 1 gives each its own."""
    qk_norm: bool = True
    """Normalise queries and keys per head (Henry et al. 2020), which bounds the attention logits."""

    @property
    def width_step(self) -> int:
        """Return the number the model's width has to be a multiple of."""
        return self.head_dim * self.queries_per_kv

    def build(self, width: int, rules: Parametrisation) -> MixerLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.mixers.grouped import Grouped
        from pilotlight.model.mixers.grouped_layer import GroupedLayer

        near = Grouped(head_dim=self.head_dim, queries_per_kv=self.queries_per_kv, qk_norm=self.qk_norm)
        return GroupedLayer(near, width, rules, window=self.window)
