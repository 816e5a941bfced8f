"""Changes of the inputs in training, so that a model relies less on single tokens. One per file, without torch."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pilotlight.spec import Part
from pilotlight.train.examples import Draws, Vocabulary

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Bool, Int64

__all__ = ["Augmentation", "Draws", "Vocabulary", "words"]


class Augmentation(Part):
    """A random change of inputs. Targets stay what they were, and evaluation sees none of it."""

    folder: ClassVar[str] = "pilotlight.train.augmentations"

    @property
    def extra_ids(self) -> int:
        """Ids past the tokenizer's that it needs, such as a blank."""
        return 0

    @abstractmethod
    def change(
        self, inputs: Int64[np.ndarray, "rows context"], draws: Draws, vocabulary: Vocabulary
    ) -> Int64[np.ndarray, "rows context"]:
        """Return changed inputs of the same shape; end tokens, masks and sentinels stay (see ``words``).

        Args:
            inputs: of a batch; they are not written to.
            draws: all randomness there is.
            vocabulary: which ids there are.
        """


def words(inputs: Int64[np.ndarray, "rows context"], vocabulary: Vocabulary) -> Bool[np.ndarray, "rows context"]:
    """Return which inputs are tokens of the text."""
    return (inputs < vocabulary.size) & (inputs != vocabulary.end)
