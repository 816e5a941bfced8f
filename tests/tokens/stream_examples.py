"""Packed text in memory whose ids are their own places, for tests of batches and orders."""

import numpy as np

from pilotlight.tokens.tokens import Split


def split_of(lengths, sources=None, names=None) -> Split:
    """Documents of these lengths; ``sources`` are the number of each one's source."""
    bounds = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    count = len(lengths)
    ids = [number.to_bytes(16, "big") for number in range(1, count + 1)]
    known = {} if sources is None else {
        "sources": np.array(sources, dtype="<u2"),
        "source_names": tuple(names or (f"source {number}" for number in range(max(sources) + 1))),
    }  # fmt: skip
    return Split(
        "train", np.arange(bounds[-1], dtype=np.uint32), bounds, np.array(lengths, dtype=np.int64) * 4,
        np.frombuffer(b"".join(ids), dtype=np.uint8).reshape(count, 16), **known,
    )  # fmt: skip
