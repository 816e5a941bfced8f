"""Norms: how vectors are brought to a common size. One file per kind, its layer beside it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pilotlight.spec import Part

if TYPE_CHECKING:
    from pilotlight.model.layer import NormLayer
    from pilotlight.model.parametrisation import Parametrisation


class Norm(Part):
    """Settings of a norm."""

    folder: ClassVar[str] = "pilotlight.model.norms"

    @abstractmethod
    def build(self, size: int, rules: Parametrisation, *, in_block: bool = True) -> NormLayer:
        """Return the layer for vectors of ``size``; ``in_block`` is false for the norm before the logits."""
