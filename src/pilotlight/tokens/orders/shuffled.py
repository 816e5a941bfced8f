"""All text in one random order, every row once an epoch: the usual choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.tokens.orders import Order

if TYPE_CHECKING:
    from pilotlight.tokens.order import Length, Mix
    from pilotlight.tokens.tokens import Split


@final
class Shuffled(Order):
    """Every row once an epoch, in an order that the seed decides; sources come as often as they have text."""

    def mix(self, split: Split, length: Length) -> Mix | None:
        """Return None: all text is one group."""
        del split, length
        return None
