"""The training text drawn again: documents with replacement, as if the corpus had been collected once more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilotlight.randomness import stream

if TYPE_CHECKING:
    from jaxtyping import Int64


def resampled(documents: Int64[np.ndarray, " documents"], seed: int, name: str = "") -> Int64[np.ndarray, " documents"]:
    """Return as many of ``documents`` as there are, drawn with replacement, in order (Efron 1979)."""
    chosen = stream(seed, "sample", *([name] if name else [])).integers(0, len(documents), len(documents))
    return documents[np.sort(chosen)]
