"""Go on with a beginning that is read both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from pydantic import Field

from pilotlight.train.examples import Draws, Examples, Vocabulary, next_tokens, text_lengths
from pilotlight.train.objectives import Objective
from pilotlight.units import Share

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float32, Int64


@final
class Prefix(Objective):
    """A prefix language model: tokens of the beginning see each other, the rest is predicted (Raffel et al. 2020, T5).

    The length of the beginning is drawn evenly for every row (Wang et al. 2022). Where documents are kept apart, it ends
    inside one of them: those before it are only read, those after it are predicted from their first token on.
    """

    both_ways: ClassVar[bool] = True

    longest: Share = Field(default=1.0, gt=0)
    """Longest beginning, as a share of the text of the row; one token at least is predicted."""

    def examples(
        self,
        rows: Int64[np.ndarray, "rows context+1"],
        weights: Float32[np.ndarray, "rows context"],
        documents: Int64[np.ndarray, "rows context+1"] | None,
        draws: Draws,
        vocabulary: Vocabulary,
    ) -> Examples:
        """Return the rows with a visible beginning, whose own tokens are not predicted."""
        import numpy as np

        del vocabulary
        found = next_tokens(rows, weights, documents)
        lengths = text_lengths(weights)
        ends = np.maximum(1, np.ceil(self.longest * lengths)).astype(np.int64)
        visible = np.array([draws.row(row).integers(1, end + 1) for row, end in enumerate(ends)], dtype=np.int64)
        # the last token of the beginning is the first that predicts what it does not see
        asked = np.arange(weights.shape[1]) >= visible[:, None] - 1
        return found._replace(weights=weights * asked.astype(np.float32), visible=visible)
