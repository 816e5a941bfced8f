"""What a model is asked in one step: inputs, targets and what each may see. Numbers alone, no torch here."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, final

from pilotlight.randomness import stream

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float32, Int64


@final
class Vocabulary(NamedTuple):
    """Which ids there are."""

    size: int
    """Ids of the tokenizer, all below it."""
    end: int
    """Id of the token that ends a document."""
    extra: int
    """First of the ids past the tokenizer's that a part asked for with ``extra_ids``."""


@final
class Draws(NamedTuple):
    """Random choices that depend on seed, purpose, step and row alone: resumes and micro-batches change none of them."""

    seed: int
    purpose: str
    step: int

    def row(self, row: int) -> np.random.Generator:
        """Return the generator of one row of the batch."""
        return stream(self.seed, self.purpose, self.step, row)


@final
class Examples(NamedTuple):
    """Inputs and targets of the rows of a batch; the loss is the mean of the targets' nats by their weights."""

    inputs: Int64[np.ndarray, "rows context"]
    targets: Int64[np.ndarray, "rows context"]
    """What each place predicts."""
    weights: Float32[np.ndarray, "rows context"]
    """How much each target counts in the loss: 0 for those that do not."""
    documents: Int64[np.ndarray, "rows context"] | None = None
    """Number of the document of each input, never falling along a row; None: all of a row see each other."""
    visible: Int64[np.ndarray, " rows"] | None = None
    """First inputs of each row that all of the row see, later ones included; None: no such prefix."""
    causal: bool = True
    """Whether an input sees only those before it and itself, but for the visible ones."""


def next_tokens(
    rows: Int64[np.ndarray, "rows context+1"],
    weights: Float32[np.ndarray, "rows context"],
    documents: Int64[np.ndarray, "rows context+1"] | None = None,
) -> Examples:
    """Return rows in which each place predicts the id after it."""
    return Examples(rows[:, :-1], rows[:, 1:], weights, None if documents is None else documents[:, :-1])


def text_lengths(weights: Float32[np.ndarray, "rows context"]) -> Int64[np.ndarray, " rows"]:
    """Return how many targets each row has up to the last that counts; what follows is padding."""
    import numpy as np

    places = np.arange(1, weights.shape[1] + 1)
    return np.where(weights > 0, places, 0).max(axis=1)
