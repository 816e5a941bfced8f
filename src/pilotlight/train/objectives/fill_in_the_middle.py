"""Write the middle of a text after its beginning and its end."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pilotlight.train.examples import Draws, Examples, Vocabulary
from pilotlight.train.objectives import Objective
from pilotlight.units import Share

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float32, Int64


@final
class FillInTheMiddle(Objective):
    """Next-token prediction of documents of which some have their middle moved to the end (Bavarian et al. 2022).

    ``<prefix> beginning <suffix> end <middle> middle`` and an end token (PSM), or ``<prefix> <suffix> end <middle>
    beginning middle`` (SPM, as trained there). Two places, drawn evenly, part a document, or as much of it as stands in the
    row. The markers are no targets: who asks gives them, and a text read in order stays as likely as it was. They make
    rows longer, so the last few tokens of a row are left out.
    """

    rate: Share = 0.5
    """Share of the documents whose middle is moved; half of them cost next-token prediction nothing."""
    suffix_first: Share = 0.5
    """Share of these in which the end stands before the beginning."""

    @property
    def extra_ids(self) -> int:
        """The three markers."""
        return 3

    def examples(
        self,
        rows: Int64[np.ndarray, "rows context+1"],
        weights: Float32[np.ndarray, "rows context"],
        documents: Int64[np.ndarray, "rows context+1"] | None,
        draws: Draws,
        vocabulary: Vocabulary,
    ) -> Examples:
        """Return the rows with some documents rearranged; each place predicts the next."""
        from pilotlight.train.objectives._fill_in_the_middle import examples

        return examples(self, rows, weights, documents, draws, vocabulary)
