"""Feed-forwards: how each token is changed by itself. One file per kind, its layer beside it.

At their defaults all kinds hold the same number of parameters: 9 x width squared.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pilotlight.spec import Part

if TYPE_CHECKING:
    from pilotlight.model.layer import FeedForwardLayer
    from pilotlight.model.parametrisation import Parametrisation


class FeedForward(Part):
    """Settings of a feed-forward."""

    folder: ClassVar[str] = "pilotlight.model.feedforward"

    @abstractmethod
    def build(self, width: int, rules: Parametrisation) -> FeedForwardLayer:
        """Return the layer for a model of ``width``; ``rules`` give starts and scalings."""
