"""Gated convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from pydantic import Field

from pilotlight.model.mixers import Mixer

if TYPE_CHECKING:
    from pilotlight.model.layer import MixerLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class GatedConvolution(Mixer):
    """No attention: a short and a long causal convolution between two gates (Hyena, Poli et al. 2023).

    ``gate * long(key * value)``, all three after a short convolution per channel. The long filters are learned directly,
    one per ``head_dim`` channels (Ku et al. 2025, StripedHyena 2), and fade over 4 tokens up to the whole ``long``. The
    position is not used: a convolution knows distances by itself.
    """

    both_ways: ClassVar[bool] = False
    """It goes forwards through a row only."""

    short: int = Field(default=4, ge=1, le=64)
    """Tokens the short convolutions see, the token itself included."""
    long: int = Field(default=128, ge=2)
    """Tokens the long convolution sees, the token itself included; time per token grows with it."""

    @property
    def width_step(self) -> int:
        """Return the number the model's width has to be a multiple of."""
        return self.head_dim

    def build(self, width: int, rules: Parametrisation) -> MixerLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.mixers.gated_convolution_layer import GatedConvolutionLayer

        return GatedConvolutionLayer(self, width, rules)
