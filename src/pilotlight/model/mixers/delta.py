"""Linear attention that corrects what it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from pydantic import Field

from pilotlight.model.mixers import Mixer

if TYPE_CHECKING:
    from pilotlight.model.layer import MixerLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class Delta(Mixer):
    """A state per head that is corrected and not added to: Gated DeltaNet (Yang, Kautz and Hatamizadeh 2024).

    ``state = decay * state; state = state + rate * key (value - state^T key)^T; output = state^T query`` with a decay and
    a rate per head and token: what stood under a key is replaced by its new value (the delta rule, Schlag et al. 2021; in
    blocks, Yang et al. 2024). Queries, keys and values go through a short convolution per channel; then a norm per head and
    a gate. Time grows with the length of the row, memory while generating does not grow. The position is not used.
    """

    both_ways: ClassVar[bool] = False
    """It goes forwards through a row only."""

    memory: float = Field(default=128.0, ge=2)
    """Tokens the slowest head remembers at the start; the others lie between 2 and this, evenly in their logarithm."""
    short: int = Field(default=4, ge=1, le=64)
    """Tokens the short convolutions see, the token itself included."""
    block: int = Field(default=64, ge=1, le=1024)
    """Tokens whose products with each other are taken at once; changes the speed and nothing else."""

    @property
    def width_step(self) -> int:
        """Return the number the model's width has to be a multiple of."""
        return self.head_dim

    def build(self, width: int, rules: Parametrisation) -> MixerLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.mixers.delta_layer import DeltaLayer

        return DeltaLayer(self, width, rules)
