"""Rotary positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self, final

from pydantic import Field, model_validator

from pilotlight.model.positions import Position
from pilotlight.spec import Spec

if TYPE_CHECKING:
    from pilotlight.model.layer import PositionLayer
    from pilotlight.model.parametrisation import Parametrisation


@final
class Stretch(Spec):
    """Angles of a model that reads longer rows than it was first trained on."""

    factor: float = Field(gt=1)
    """How many times longer the wavelengths are."""
    rule: Literal["linear", "llama3"] = "linear"
    """``linear``: all of them (Chen et al. 2023, position interpolation). ``llama3``: those longer than ``original`` / ``low``
    tokens; the ones shorter than ``original`` / ``high`` stay, between them it changes gradually (Llama 3.1)."""
    original: int = Field(default=8192, ge=2)
    """Tokens of the rows of the first training; for ``llama3``."""
    low: float = Field(default=1.0, gt=0)
    """Turns within ``original`` tokens below which a wavelength is stretched in full; for ``llama3``."""
    high: float = Field(default=4.0, gt=0)
    """Turns within ``original`` tokens above which it stays; for ``llama3``."""

    @model_validator(mode="after")
    def _low_is_below_high(self) -> Self:
        if self.low >= self.high:
            raise ValueError(
                f"low: {self.low:g} turns are not below high, {self.high:g}; expected fewer, such as 1 and 4"
            )
        return self


@final
class Rotary(Position):
    """Queries and keys turned by an angle that grows with the place (Su et al. 2021, RoFormer)."""

    period: float = Field(default=10_000.0, gt=1)
    """Base of the wavelengths: the slowest pair of entries turns once in about 2 pi x this many tokens."""
    stretch: Stretch | None = None
    """Longer wavelengths, as a model has them that was made for longer rows later on; null: none."""

    def build(self, width: int, head_dim: int, rules: Parametrisation) -> PositionLayer:
        """Return the layer."""
        from pilotlight.model.positions.rotary_layer import RotaryLayer

        return RotaryLayer(head_dim, self.period, self.stretch)
