"""Positions: how the model knows where a token stands. One file per kind, its layer beside it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pilotlight.spec import Part

if TYPE_CHECKING:
    from pilotlight.model.layer import PositionLayer
    from pilotlight.model.parametrisation import Parametrisation


class Position(Part):
    """Settings of a position."""

    folder: ClassVar[str] = "pilotlight.model.positions"

    def refusal(self, context: int) -> str:
        """Return why rows of ``context`` tokens cannot be read; empty if they can."""
        del context
        return ""

    @abstractmethod
    def build(self, width: int, head_dim: int, rules: Parametrisation) -> PositionLayer:
        """Return the layer for a model of ``width`` with heads of ``head_dim``; ``rules`` give starts and scalings."""
