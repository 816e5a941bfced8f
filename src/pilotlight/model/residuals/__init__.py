"""Residuals: how the branches of a block join the stream, and where norms stand. One file per kind, its layer beside it."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pilotlight.spec import Part

if TYPE_CHECKING:
    from pilotlight.model.layer import ResidualLayer
    from pilotlight.model.norms import Norm
    from pilotlight.model.parametrisation import Parametrisation


class Residual(Part):
    """Settings of a residual."""

    folder: ClassVar[str] = "pilotlight.model.residuals"

    @abstractmethod
    def build(self, width: int, norm: Norm, rules: Parametrisation) -> ResidualLayer:
        """Return the layer for a model of ``width`` with norms of one kind; ``rules`` give the factor of the branches."""
