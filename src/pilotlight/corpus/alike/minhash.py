"""Sketches of sets: in how many places two of them agree estimates how much the sets have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import rensa  # pyright: ignore[reportMissingTypeStubs]

from pilotlight.corpus.alike.bands import Bands
from pilotlight.corpus.alike.shingles import Sets
from pilotlight.corpus.alike.words import mixed

if TYPE_CHECKING:
    from jaxtyping import UInt64

_SEED = 1
_STEP = 0x9FB21C651E98DF25


def band_keys(sets: Sets, bands: Bands) -> UInt64[np.ndarray, "texts bands"]:
    """Return a key for each text and band; two texts with a key in common may be alike.

    Source: Broder (1997), On the resemblance and containment of documents.
    """
    given = sets.hashes.astype(np.uint64)
    library: Any = rensa
    matrix = library.RMinHash.digest_matrix_from_flat_token_hashes(
        given, sets.ends.astype(np.uint64), bands.hashes, _SEED
    )
    sketch = np.array(matrix.to_rows(), dtype=np.uint64).reshape(-1, bands.bands, bands.rows)
    keys = np.broadcast_to(np.arange(bands.bands, dtype=np.uint64) * np.uint64(_STEP), sketch.shape[:2])
    for row in range(bands.rows):
        keys = mixed((keys ^ sketch[:, :, row]) * np.uint64(_STEP))
    return keys
