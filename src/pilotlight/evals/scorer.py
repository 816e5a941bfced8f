"""What a model has to offer to be scored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from pilotlight.tokens.tokenizer import Encoder

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool, Float64, Int64


class Scorer(ABC):
    """A model with its encoder. The same ids give the same nats within rounding, however they are batched.

    Of a masked model, nats are given the ids on both sides; ``Member.writes`` tells such models apart.
    """

    context: int
    """Tokens the model can see at a time."""
    start: int
    """Id that stands before the first token of a text."""
    encoder: Encoder
    tokens_at_once: int
    """Tokens of a batch, padding included, that fit into memory comfortably."""

    @abstractmethod
    def nats(
        self, ids: Int64[np.ndarray, "rows time"], targets: Int64[np.ndarray, "rows time"],
        mask: Bool[np.ndarray, "rows time"],
    ) -> Float64[np.ndarray, " rows"]:  # fmt: skip
        """Return the negative log likelihood of the masked targets of every row, each given the ids up to its place.

        Target t is id t + 1; what follows the last masked target of a row is padding.
        """
