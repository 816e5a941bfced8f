"""Single tokens blanked or swapped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, final

from pilotlight.train.augmentations import Augmentation, Draws, Vocabulary, words
from pilotlight.units import Share

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Int64


@final
class TokenDropout(Augmentation):
    """Each input token is, by chance and on its own, dropped for a blank or swapped for another.

    Word dropout with a blank (Iyyer et al. 2015; Bowman et al. 2016), noising with random words (Xie et al. 2017).
    """

    rate: Share = 0.1
    """Share of the input tokens."""
    by: Literal["blank", "another"] = "blank"
    """What stands in their place: one id for all, behind the tokenizer's, or any of the tokenizer's."""

    @property
    def extra_ids(self) -> int:
        """The blank, where one is used."""
        return 1 if self.by == "blank" else 0

    def change(
        self, inputs: Int64[np.ndarray, "rows context"], draws: Draws, vocabulary: Vocabulary
    ) -> Int64[np.ndarray, "rows context"]:
        """Return the inputs with some tokens dropped."""
        import numpy as np

        chances, others = np.ones(inputs.shape), np.full(inputs.shape, vocabulary.extra, dtype=np.int64)
        for row in range(len(inputs)):
            random = draws.row(row)
            chances[row] = random.random(inputs.shape[1])
            if self.by == "another":
                others[row] = random.integers(vocabulary.size, size=inputs.shape[1])
        return np.where((chances < self.rate) & words(inputs, vocabulary), others, inputs)
