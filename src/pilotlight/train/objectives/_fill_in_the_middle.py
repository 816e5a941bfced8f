"""How documents are parted, and their middle moved to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pilotlight.train.examples import Draws, Examples, Vocabulary, text_lengths

if TYPE_CHECKING:
    from jaxtyping import Float32, Int64

    from pilotlight.train.objectives.fill_in_the_middle import FillInTheMiddle

PREFIX, SUFFIX, MIDDLE = range(3)
"""Markers before the parts, as numbered behind the tokenizer's ids."""
_SHORTEST = 3
_ADDED = 4


class _Piece(NamedTuple):
    """A stretch of a row: ids, whether each counts when it is predicted, and the number of its document."""

    ids: np.ndarray
    weights: np.ndarray
    documents: np.ndarray


def examples(
    settings: FillInTheMiddle,
    rows: Int64[np.ndarray, "rows context+1"],
    weights: Float32[np.ndarray, "rows context"],
    documents: Int64[np.ndarray, "rows context+1"] | None,
    draws: Draws,
    vocabulary: Vocabulary,
) -> Examples:
    """Return the rows with some documents rearranged; each place predicts the next."""
    ids = np.full(rows.shape, vocabulary.end, dtype=np.int64)
    counts = np.zeros(rows.shape, dtype=np.float32)
    apart = np.zeros(rows.shape, dtype=np.int64)
    for row, length in enumerate(text_lengths(weights)):
        random, place, free = draws.row(row), 0, rows.shape[1]
        own = np.concatenate([[1.0], weights[row, :length]])
        starts = _starts(rows[row, : length + 1], None if documents is None else documents[row], vocabulary.end)
        number = 0
        for number, (start, stop) in enumerate(zip(starts, [*starts[1:], length + 1], strict=True)):
            piece = _piece(settings, random, rows[row, start:stop], own[start:stop], free - place, vocabulary, number)
            end = place + len(piece.ids)
            ids[row, place:end], counts[row, place:end], apart[row, place:end] = piece
            place = end
            if place == free:
                break
        apart[row, place:] = number + 2
    found = Examples(ids[:, :-1], ids[:, 1:], counts[:, 1:])
    return found if documents is None else found._replace(documents=apart[:, :-1])


def _piece(
    settings: FillInTheMiddle, random: np.random.Generator, ids: np.ndarray, weights: np.ndarray, room: int,
    vocabulary: Vocabulary, number: int,
) -> _Piece:  # fmt: skip
    """Return one document of a row, as much of it as there is room for, in order or rearranged.

    Its end token is of the document after it, which is read from there.
    """
    chances = random.random(4)  # always as many, so that a document does not depend on what was done to those before it
    whole = len(ids) > 0 and ids[-1] == vocabulary.end
    body = (ids[:-1] if whole else ids)[: max(0, room - _ADDED)]
    if chances[0] >= settings.rate or len(body) < _SHORTEST:
        ids = ids[:room]
        return _Piece(ids, weights[: len(ids)], number + (ids == vocabulary.end))
    low, high = sorted((chances[2:] * (len(body) + 1)).astype(np.int64).tolist())
    order = [PREFIX, (0, low), SUFFIX, (high, len(body)), MIDDLE, (low, high)]
    if chances[1] < settings.suffix_first:
        order = [PREFIX, SUFFIX, (high, len(body)), MIDDLE, (0, high)]
    parts = [body[slice(*part)] if isinstance(part, tuple) else [vocabulary.extra + part] for part in order]
    counts = [weights[slice(*part)] if isinstance(part, tuple) else [0.0] for part in order]
    ids = np.concatenate([*parts, [vocabulary.end]]).astype(np.int64)
    return _Piece(ids, np.concatenate([*counts, [1.0]]), number + (ids == vocabulary.end))


def _starts(ids: np.ndarray, documents: np.ndarray | None, end: int) -> list[int]:
    """Return where a document, or the rest of one, begins in a row: after an end token, or where it was cut."""
    begins = np.concatenate([[True], ids[:-1] == end])
    if documents is not None:
        changed = np.concatenate([[False], documents[1 : len(ids)] != documents[: len(ids) - 1]])
        begins |= changed & (ids != end)
    return np.flatnonzero(begins).tolist()
