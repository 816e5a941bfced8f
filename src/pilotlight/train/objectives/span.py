"""Fill in spans that were cut out: what is left is read both ways, what was cut out is written after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, final

from pydantic import Field

from pilotlight.train.examples import Draws, Examples, Vocabulary
from pilotlight.train.objectives import Objective
from pilotlight.units import Share

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float32, Int64


@final
class Span(Objective):
    """Span corruption (Raffel et al. 2020, T5) in one stack: the text with gaps is a prefix (Tay et al. 2023, UL2).

    A row becomes ``text <1> text <2> text`` and then ``<1> cut out <2> cut out <3>``, of which the second part is predicted.
    The sentinels make it longer, so the last few tokens of a row are left out. A share of the rows is a beginning and how
    it goes on instead, UL2's sequential denoiser, without which such a model could not be asked for the next token.
    """

    both_ways: ClassVar[bool] = True
    keeps_order: ClassVar[bool] = False

    rate: Share = Field(default=0.15, gt=0, lt=1)
    """Share of the tokens that are cut out."""
    length: float = Field(default=3.0, ge=1)
    """Mean tokens of a span."""
    sentinels: int = Field(default=100, ge=2)
    """Ids behind the tokenizer's that stand for a span; spans become longer where a row would need more of them."""
    sequential: Share = 0.25
    """Share of the rows of which a beginning is read and the rest predicted."""

    @property
    def extra_ids(self) -> int:
        """The sentinels."""
        return self.sentinels

    def examples(
        self,
        rows: Int64[np.ndarray, "rows context+1"],
        weights: Float32[np.ndarray, "rows context"],
        documents: Int64[np.ndarray, "rows context+1"] | None,
        draws: Draws,
        vocabulary: Vocabulary,
    ) -> Examples:
        """Return each row with gaps, and what was cut out behind it; at the end of a row may be padding."""
        from pilotlight.train.objectives._span import examples

        del documents
        return examples(self, rows, weights, draws, vocabulary)
