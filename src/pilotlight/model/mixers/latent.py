"""Multi-head latent attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.model.mixers import Mixer

if TYPE_CHECKING:
    from pilotlight.model.layer import MixerLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class Latent(Mixer):
    """Full causal attention whose keys and values come from one short vector per token (DeepSeek-V2, 2024).

    A token is remembered by ``latent * width + head_dim`` numbers instead of ``2 * width``. Queries and keys have two
    parts: the content, which comes from the short vector, and a part that carries the place, whose key all heads share.
    Simplified: queries are not compressed, and the part with the place is as large as the content (the paper has half).
    """

    latent: float = Field(default=0.25, gt=0, le=2)
    """Size of the short vector as a share of the width."""
    qk_norm: bool = True
    """Normalise both parts of queries and keys per head, which bounds the attention logits."""

    @property
    def width_step(self) -> int:
        """Return the number the model's width has to be a multiple of."""
        return self.head_dim

    def build(self, width: int, rules: Parametrisation) -> MixerLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.mixers.latent_layer import LatentLayer

        return LatentLayer(self, width, rules)
