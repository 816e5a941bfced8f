"""Fill in what was blanked out, from both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self, final

from pydantic import Field, model_validator

from pilotlight.train.examples import Draws, Examples, Vocabulary, text_lengths
from pilotlight.train.objectives import Objective
from pilotlight.units import Share

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool, Float32, Int64

JUDGED = 0.15
"""Share of the tokens of held-out text that are blanked out, whatever the share in training."""


@final
class Masked(Objective):
    """Masked language modelling (Devlin et al. 2019, BERT), other tokens masked each time a text is met (Liu et al. 2019).

    Of the tokens to predict most become the mask token, some another token, some stay. The mask token stands behind the
    tokenizer's ids. A model trained so is an encoder: it cannot write, and has no likelihood of a text. Held-out text is
    measured in nats per masked token, tasks by pseudo-log-likelihood (Salazar et al. 2020).
    """

    both_ways: ClassVar[bool] = True
    metric: ClassVar[str] = "masked_nats_per_token"

    rate: Share = Field(default=0.15, gt=0)
    """Share of the tokens that are predicted; small models may want 0.15, large ones 0.4 (Wettig et al. 2023)."""
    swapped: Share = 0.1
    """Share of these that become another token instead of the mask token."""
    kept: Share = 0.1
    """Share of these that stay as they are."""

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        if self.swapped + self.kept > 1:
            raise ValueError(f"swapped {self.swapped:g} and kept {self.kept:g} are more than all; together at most 1")
        return self

    @property
    def extra_ids(self) -> int:
        """The mask token."""
        return 1

    def examples(
        self,
        rows: Int64[np.ndarray, "rows context+1"],
        weights: Float32[np.ndarray, "rows context"],
        documents: Int64[np.ndarray, "rows context+1"] | None,
        draws: Draws,
        vocabulary: Vocabulary,
    ) -> Examples:
        """Return the last ``context`` ids of the rows, some hidden; each place predicts itself."""
        import numpy as np

        targets = rows[:, 1:]
        # That a document's first token is not to be predicted from the one before means nothing here: padding does.
        blank = np.arange(targets.shape[1]) >= text_lengths(weights)[:, None]
        open_to = ~blank & (targets != vocabulary.end)
        inputs, chosen = targets.copy(), np.zeros(targets.shape, dtype=np.float32)
        for row, places in enumerate(map(np.flatnonzero, open_to)):
            random = draws.row(row)
            picked = _pick(random, places, self.rate)
            chosen[row, picked] = 1
            fate = random.random(len(picked))
            others = random.integers(vocabulary.size, size=len(picked))
            swapped, masked = fate < self.swapped, fate >= self.swapped + self.kept
            inputs[row, picked[swapped]] = others[swapped]
            inputs[row, picked[masked]] = vocabulary.extra
        return Examples(inputs, targets, chosen, _apart(documents, blank), None, causal=False)

    def questions(
        self,
        rows: Int64[np.ndarray, "rows context+1"],
        counted: Bool[np.ndarray, "rows context"],
        vocabulary: Vocabulary,
    ) -> Examples:
        """Return the windows with the same tokens of each hidden in every run that shares the tokenizer."""
        import numpy as np

        targets = rows[:, 1:]
        inputs, chosen = targets.copy(), np.zeros(targets.shape, dtype=np.float32)
        draws = Draws(0, "held-out masks", 0)
        for row, places in enumerate(map(np.flatnonzero, counted)):
            picked = _pick(draws.row(row), places, JUDGED)
            chosen[row, picked], inputs[row, picked] = 1, vocabulary.extra
        return Examples(inputs, targets, chosen, (~counted).astype(np.int64), None, causal=False)


def _pick(random: np.random.Generator, places: np.ndarray, rate: float) -> np.ndarray:
    """Return a share of ``places`` in order, at least one where there is any."""
    import numpy as np

    count = min(len(places), max(1, round(rate * len(places))))
    return np.sort(random.choice(places, count, replace=False)) if count else places


def _apart(documents: np.ndarray | None, blank: np.ndarray) -> np.ndarray | None:
    """Return the documents of the places, padding as one of its own, so that no text sees it."""
    if documents is None:
        return blank.astype("int64") if blank.any() else None
    return documents[:, 1:] + blank
