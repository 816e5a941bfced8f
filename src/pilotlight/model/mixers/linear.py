"""Linear attention with a decay that depends on the token."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from pydantic import Field

from pilotlight.model.mixers import Mixer

if TYPE_CHECKING:
    from pilotlight.model.layer import MixerLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class Linear(Mixer):
    """Attention without a softmax: a state per head, read by the query, which forgets as far as the token says.

    ``state = decay * state + key value^T; output = query state`` with one decay per head and token, then a norm per head
    and a gate: RetNet (Sun et al. 2023) with the decay of gated linear attention (Yang et al. 2024) and Mamba-2 (Dao and
    Gu 2024). Time grows with the length of the row, memory while generating does not grow. The position enters queries
    and keys as in attention.
    """

    both_ways: ClassVar[bool] = False
    """It goes forwards through a row only."""

    memory: float = Field(default=128.0, ge=2)
    """Tokens the slowest head remembers at the start; the others lie between 2 and this, evenly in their logarithm."""
    block: int = Field(default=64, ge=1, le=1024)
    """Tokens whose products with each other are taken at once; changes the speed and nothing else."""

    @property
    def width_step(self) -> int:
        """Return the number the model's width has to be a multiple of."""
        return self.head_dim

    def build(self, width: int, rules: Parametrisation) -> MixerLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.mixers.linear_layer import LinearLayer

        return LinearLayer(self, width, rules)
