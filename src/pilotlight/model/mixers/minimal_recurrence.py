"""A minimal gated recurrence."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from pydantic import Field

from pilotlight.model.mixers import Mixer

if TYPE_CHECKING:
    from pilotlight.model.layer import MixerLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class MinimalRecurrence(Mixer):
    """No attention: the minimal gated recurrent unit, minGRU (Feng et al. 2024, "Were RNNs all we needed?").

    ``state = (1 - gate) * state + gate * candidate`` per channel. Gate and candidate look at the token and not at the
    state, so all steps are taken in parallel. The position is not used.
    """

    both_ways: ClassVar[bool] = False
    """It goes forwards through a row only."""

    expansion: float = Field(default=1.5, gt=0)
    """Size of the state as a multiple of the width."""
    memory: float = Field(default=128.0, ge=2)
    """Tokens the slowest channel remembers at the start; the others lie between 2 and this, evenly in their logarithm
    (Tallec and Ollivier 2018)."""

    @property
    def width_step(self) -> int:
        """Return the number the model's width has to be a multiple of."""
        return self.head_dim

    def build(self, width: int, rules: Parametrisation) -> MixerLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.mixers.minimal_recurrence_layer import MinimalRecurrenceLayer

        return MinimalRecurrenceLayer(self, width, rules)
