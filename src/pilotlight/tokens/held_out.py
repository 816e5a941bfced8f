"""Fixed windows for evaluation: the same bytes of the same documents for every tokenizer.

Documents stand in the order of a hash of their ids, each gives at most its first ``LONGEST`` bytes, cut before
anything is tokenized, and the limit counts bytes of text. So bits per byte of two tokenizers speak of the same text.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pilotlight.errors import DataError
from pilotlight.tokens.text import Passage, cut
from pilotlight.tokens.tokenizer import Encoder
from pilotlight.tokens.tokens import SplitName, Tokens, passages_file

if TYPE_CHECKING:
    from jaxtyping import Bool, Int32, Int64

LONGEST = 8192
"""Bytes of text that one document gives at most, so that a few long ones cannot decide the loss."""
STORED_BYTES = 16_000_000
"""Bytes of text per split that packing keeps for evaluation; a larger limit finds no more than this."""


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows to score. Target t of window w is ``ids[w, t + 1]``, predicted from ``ids[w, : t + 1]``.

    A passage is [end] + its tokens, split into windows of ``context`` predictions with one id shared between
    neighbours. Every token of the text is a target exactly once; the end token after it is not, since a
    passage may be the beginning of a longer document.
    """

    ids: Int64[np.ndarray, "windows context+1"]
    """Token ids, padded with the end token."""
    mask: Bool[np.ndarray, "windows context"]
    """True where the target is a token of the text; sum nats over these."""
    document: Int32[np.ndarray, " windows"]
    """Index of the passage that a window belongs to; never falls."""
    passages: tuple[Passage, ...]
    """Id, source, text and bytes of each passage."""

    @property
    def bytes(self) -> Int64[np.ndarray, " passages"]:
        """UTF-8 bytes of each passage: what its nats are divided by."""
        return np.array([passage.bytes for passage in self.passages], dtype=np.int64)

    @property
    def tokens(self) -> Int64[np.ndarray, " passages"]:
        """Targets in each passage."""
        return np.bincount(self.document, self.mask.sum(axis=1), len(self.passages)).astype(np.int64)

    @property
    def document_ids(self) -> tuple[str, ...]:
        """Ids of the documents that the passages begin."""
        return tuple(passage.id for passage in self.passages)


def windows(tokens: Tokens, context: int, limit: float, split: SplitName = "held_out") -> Windows:
    """Return the evaluation windows of ``context`` predictions over the first ``limit`` bytes of passages of a split.

    Raises:
        DataError: the split has no text.
    """
    return windows_of(passages(tokens, limit, split), tokens.encoder(), context)


def passages(tokens: Tokens, limit: float, split: SplitName = "held_out") -> list[Passage]:
    """Return the passages that are evaluated: whole ones while they fit into ``limit`` bytes, and at least one.

    They depend on the corpus and ``limit`` alone, never on the tokenizer. Where the first does not fit, it is cut.

    Raises:
        DataError: the split has no text.
    """
    found: list[Passage] = []
    total = 0
    with (tokens.folder / passages_file(split)).open(encoding="utf-8", newline="\n") as lines:
        for line in lines:
            passage = Passage(**json.loads(line))
            if total + passage.bytes > limit:
                found = found or [_shortened(passage, limit)]
                break
            found.append(passage)
            total += passage.bytes
    if not found or not found[0].bytes:
        raise DataError(
            f"The {split} split of {tokens.folder} has no text within {limit:.0f} bytes, so nothing can be evaluated. "
            "Raise corpus.held_out, or give more text."
        )
    return found


def _shortened(passage: Passage, limit: float) -> Passage:
    text = cut(passage.text, math.floor(limit))
    return Passage(passage.id, passage.source, text, len(text.encode()))


def windows_of(passages: Sequence[Passage], encoder: Encoder, context: int) -> Windows:
    """Return windows of ``context`` predictions over ``passages``, encoded by any encoder."""
    encoded = encoder.encode_batch([passage.text for passage in passages])
    # A tokenizer may give no token for a passage (of white space, say); it then has no window and no nats.
    counts = np.array([math.ceil(len(ids) / context) for ids in encoded], dtype=np.int64)
    ids = np.full((int(counts.sum()), context + 1), encoder.end, dtype=np.int64)
    mask = np.zeros((len(ids), context), dtype=bool)
    row = 0
    for found in encoded:
        sequence = np.concatenate([np.array([encoder.end]), found]).astype(np.int64)
        for start in range(0, len(found), context):
            part = sequence[start : start + context + 1]
            ids[row, : len(part)] = part
            mask[row, : len(part) - 1] = True
            row += 1
    document = np.repeat(np.arange(len(encoded), dtype=np.int32), counts)
    return Windows(ids, mask, document, tuple(passages))


def write_passages(found: Sequence[Passage], folder: Path, split: str) -> None:
    """Write the passages of a split, one JSON line each, in the order they will be evaluated."""
    encode = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps would make an encoder for every line
    with (folder / passages_file(split)).open("w", encoding="utf-8", newline="\n") as file:
        for passage in found:
            line = {"id": passage.id, "source": passage.source, "text": passage.text, "bytes": passage.bytes}
            file.write(encode(line) + "\n")
