"""From nothing: weights as the seed gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.train.starts import Start

if TYPE_CHECKING:
    from pilotlight.model.decoder_layer import DecoderModel
    from pilotlight.tokens.tokens import Tokens
    from pilotlight.train.plan import Plan


@final
class Random(Start):
    """Every parameter at random, by its own distribution and the seed."""

    def fill(self, model: DecoderModel, plan: Plan, tokens: Tokens) -> None:
        """Fill every parameter."""
        from pilotlight.model.weight import initialise

        initialise(model, plan.seed_of("weights"))
