"""Predict each token from those before it."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.train.examples import Draws, Examples, Vocabulary, next_tokens
from pilotlight.train.objectives import Objective

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float32, Int64


@final
class NextToken(Objective):
    """Cross-entropy of the next token (Bengio et al. 2003)."""

    def examples(
        self,
        rows: Int64[np.ndarray, "rows context+1"],
        weights: Float32[np.ndarray, "rows context"],
        documents: Int64[np.ndarray, "rows context+1"] | None,
        draws: Draws,
        vocabulary: Vocabulary,
    ) -> Examples:
        """Return the rows as they are."""
        del draws, vocabulary
        return next_tokens(rows, weights, documents)
