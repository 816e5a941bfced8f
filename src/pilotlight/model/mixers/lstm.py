"""Long short-term memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from pydantic import Field

from pilotlight.model.mixers import Mixer

if TYPE_CHECKING:
    from pilotlight.model.layer import MixerLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class LSTM(Mixer):
    """No attention: the long short-term memory (Hochreiter and Schmidhuber 1997), with a forget gate (Gers et al. 2000).

    Its gates look at the state, so a row takes as many steps as it has tokens, one after the other, and is not compiled; on an
    accelerator that is slow. ``minimal_recurrence`` is the parallel kind. The position is not used.
    """

    both_ways: ClassVar[bool] = False
    """It goes forwards through a row only."""

    expansion: float = Field(default=0.55, gt=0)
    """Size of the state as a multiple of the width, rounded to a multiple of 8."""
    memory: float = Field(default=128.0, ge=2)
    """Tokens the slowest channel remembers at the start; the others lie between 2 and this, evenly in their logarithm
    (Tallec and Ollivier 2018)."""

    @property
    def width_step(self) -> int:
        """Return the number the model's width has to be a multiple of."""
        return self.head_dim

    def build(self, width: int, rules: Parametrisation) -> MixerLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.mixers._cell_layer import CellLayer

        return CellLayer("lstm", self, width, rules)
