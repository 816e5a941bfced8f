"""Orders of the training text, one per file. ``plan.train.order.kind`` is the file's name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pilotlight.spec import Part, plain
from pilotlight.tokens.journal import Weights

if TYPE_CHECKING:
    from pilotlight.tokens.order import Length, Mix
    from pilotlight.tokens.tokens import Split


class Order(Part):
    """Which text comes when. Whatever the order, a batch follows from seed, step and journal alone."""

    folder: ClassVar[str] = "pilotlight.tokens.orders"

    @abstractmethod
    def mix(self, split: Split, length: Length) -> Mix | None:
        """Return groups of documents and their shares over the training; None where all text is one group.

        Raises:
            ConfigError: the settings ask for what the text does not have.
            DataError: a table cannot be read or lacks documents.
        """

    def updates_every(self) -> int | None:
        """Return after how many steps the shares follow the losses; None where they never do."""
        return None

    def update(self, split: Split, before: Weights | None, shares: Mapping[str, float], losses: Mapping[str, float],
               step: int) -> Weights:  # fmt: skip
        """Return the shares from place ``step`` of the stream on.

        Args:
            split: the text.
            before: the last entry of the journal that this gave; None at first.
            shares: shares of the groups now.
            losses: mean nats per token of each group that the last batch held.
            step: the place.
        """
        del split, before, losses
        return Weights(step=step, weights=dict(shares))

    def identity(self) -> dict[str, Any]:
        """Return what decides the order, for fingerprints: the settings, and the content of files they name."""
        return plain(self)
