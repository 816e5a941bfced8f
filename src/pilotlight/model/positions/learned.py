"""Learned positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.model.positions import Position

if TYPE_CHECKING:
    from pilotlight.model.layer import PositionLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class Learned(Position):
    """A learned vector per place, added to the embedded token (Gehring et al. 2017)."""

    longest: int = Field(default=1024, ge=1)
    """Longest row the model can read."""

    def refusal(self, context: int) -> str:
        """Return that rows of ``context`` tokens are longer than the table; empty if they are not."""
        if context <= self.longest:
            return ""
        return f"model.position.longest is {self.longest}, but rows have {context} tokens (train.context); raise it to {context}"

    def build(self, width: int, head_dim: int, rules: Parametrisation) -> PositionLayer:
        """Return the layer for a model of ``width``."""
        from pilotlight.model.positions.learned_layer import LearnedLayer

        return LearnedLayer(self.longest, width, rules)
