"""Short spans blanked."""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from pydantic import Field

from pilotlight.train.augmentations import Augmentation, Draws, Vocabulary, words
from pilotlight.units import Share

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Int64


@final
class Infilling(Augmentation):
    """Spans of the input are blanked, their lengths from a Poisson distribution (Lewis et al. 2020, BART).

    A span keeps its length, a blank for each token, so that every input still stands where its target does.
    """

    rate: Share = 0.1
    """Share of the input tokens that are blanked, on average."""
    length: float = Field(default=3.0, ge=1)
    """Mean tokens of a span, which has at least one."""

    @property
    def extra_ids(self) -> int:
        """The blank."""
        return 1

    def change(
        self, inputs: Int64[np.ndarray, "rows context"], draws: Draws, vocabulary: Vocabulary
    ) -> Int64[np.ndarray, "rows context"]:
        """Return the inputs with some spans blanked."""
        import numpy as np

        context = inputs.shape[1]
        blank = np.zeros(inputs.shape, dtype=bool)
        # Spans begin by chance at every place, and may overlap: 1 - (1 - p) ** length of the places are in none.
        begins = 1 - (1 - self.rate) ** (1 / self.length)
        for row in range(len(inputs)):
            random = draws.row(row)
            lengths = 1 + random.poisson(self.length - 1, context)
            starts = np.flatnonzero(random.random(context) < begins)
            for start in starts:
                blank[row, start : start + lengths[start]] = True
        return np.where(blank & words(inputs, vocabulary), vocabulary.extra, inputs)
