"""Mixers: how tokens of a row learn of each other. One file per kind, its layer beside it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from pilotlight.spec import Part

if TYPE_CHECKING:
    from pilotlight.model.layer import MixerLayer
    from pilotlight.model.parametrisation import Parametrisation


class Mixer(Part):
    """Settings of a mixer: an attention, a recurrence or a convolution."""

    folder: ClassVar[str] = "pilotlight.model.mixers"
    both_ways: ClassVar[bool] = True
    """Whether it can look at later tokens too, as masked and prefix objectives need it."""

    head_dim: int = Field(default=64, ge=8, multiple_of=2)
    """Size of one head, which stays as the width grows; the width has to be a multiple of it."""

    @property
    @abstractmethod
    def width_step(self) -> int:
        """Return the number the model's width has to be a multiple of."""

    @abstractmethod
    def build(self, width: int, rules: Parametrisation) -> MixerLayer:
        """Return the layer for a model of ``width``; ``rules`` give starts and scalings."""
