"""What the model is trained to predict, one objective per file: a change of rows of ids, without torch."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from pilotlight.spec import Part
from pilotlight.train.examples import Draws, Examples, Vocabulary, next_tokens

if TYPE_CHECKING:
    import numpy as np
    import torch
    from jaxtyping import Bool, Float32, Int64

    from pilotlight.model.layer import Rows
    from pilotlight.model.mixers import Mixer

__all__ = ["Draws", "Examples", "Objective", "Vocabulary"]


class Objective(Part):
    """A training objective. The loss of a batch is the mean of its nats by weight, over the whole batch."""

    folder: ClassVar[str] = "pilotlight.train.objectives"
    both_ways: ClassVar[bool] = False
    """Whether inputs see later ones, which not every mixer can do."""
    keeps_order: ClassVar[bool] = True
    """Whether the text of a document stays together in the row, so that documents can be kept apart."""
    metric: ClassVar[str] = "bits_per_byte"
    """What held-out text is measured in."""

    z_loss: float = Field(default=0.0, ge=0)
    """Times the square of the logarithm of the softmax's denominator, added to the loss in training (PaLM: 1e-4)."""

    @property
    def extra_ids(self) -> int:
        """Ids past the tokenizer's that it needs: a mask token, sentinels."""
        return 0

    @abstractmethod
    def examples(
        self,
        rows: Int64[np.ndarray, "rows context+1"],
        weights: Float32[np.ndarray, "rows context"],
        documents: Int64[np.ndarray, "rows context+1"] | None,
        draws: Draws,
        vocabulary: Vocabulary,
    ) -> Examples:
        """Return what is asked about ``rows`` in training.

        Args:
            rows: text.
            weights: 0 where an id of ``rows[:, 1:]`` is not to be predicted: padding, or the beginning of a document that
                is kept apart from what stands before it.
            documents: number of the document of each id, never falling; None: the row is one.
            draws: all randomness there is.
            vocabulary: which ids there are.
        """

    def questions(
        self,
        rows: Int64[np.ndarray, "rows context+1"],
        counted: Bool[np.ndarray, "rows context"],
        vocabulary: Vocabulary,
    ) -> Examples:
        """Return how held-out windows are asked about, in ``metric``: the same for every run, each next token as it is."""
        del vocabulary
        return next_tokens(rows, counted.astype("float32"))

    def losses(self, model: Any, inputs: torch.Tensor, targets: torch.Tensor, rows: Rows) -> torch.Tensor:
        """Return the float32 nats of ``targets``, [batch context], a pure function of all."""
        return model(inputs, targets, rows, self.z_loss)

    def refusal(self, mixers: Iterable[Mixer]) -> str:
        """Return why a model of these mixers cannot be trained so; empty if it can."""
        blind = sorted({mixer.kind for mixer in mixers if not mixer.both_ways})
        if not self.both_ways or not blind:
            return ""
        return (f"train.objective {self.kind!r} lets tokens see later ones, which model.mixer {', '.join(blind)} cannot do; "
                "choose a mixer that can, such as grouped, or objective next_token or fill_in_the_middle")  # fmt: skip
