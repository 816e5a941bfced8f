"""How spans are cut out of rows of ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pilotlight.train.examples import Draws, Examples, Vocabulary, text_lengths

if TYPE_CHECKING:
    from jaxtyping import Float32, Int64

    from pilotlight.train.objectives.span import Span


def examples(
    settings: Span,
    rows: Int64[np.ndarray, "rows context+1"],
    weights: Float32[np.ndarray, "rows context"],
    draws: Draws,
    vocabulary: Vocabulary,
) -> Examples:
    """Return each row with gaps, and what was cut out behind it; at the end of a row may be padding."""
    context = weights.shape[1]
    found = np.full(rows.shape, vocabulary.end, dtype=np.int64)
    counts = np.zeros(weights.shape, dtype=np.float32)
    visible = np.ones(len(rows), dtype=np.int64)
    for row, length in enumerate(text_lengths(weights)):
        random = draws.row(row)
        text = rows[row, : length + 1]
        if random.random() < settings.sequential or len(text) < 4:
            sequence, visible[row] = text, random.integers(1, max(2, len(text)))
        else:
            left, cut = _cut(settings, random, text[: _room(settings, len(text), context)], vocabulary)
            sequence, visible[row] = np.concatenate([left, cut]), len(left)
        found[row, : len(sequence)] = sequence
        counts[row, visible[row] - 1 : len(sequence) - 1] = 1
    return Examples(found[:, :-1], found[:, 1:], counts, None, visible)


def _amounts(settings: Span, length: int) -> tuple[int, int]:
    """Return how many tokens are cut out of a text, and in how many spans."""
    tokens = min(length - 1, max(1, round(settings.rate * length)))
    spans = max(1, round(tokens / settings.length))
    return tokens, min(spans, settings.sentinels - 1, length - tokens)


def _room(settings: Span, length: int, context: int) -> int:
    """Return how many tokens of the text can be used, so that both parts fit into a row."""
    while length > 2 and length + 2 * _amounts(settings, length)[1] + 1 > context + 1:
        length -= 1
    return length


def _cut(
    settings: Span, random: np.random.Generator, text: np.ndarray, vocabulary: Vocabulary
) -> tuple[np.ndarray, np.ndarray]:
    """Return the text with a sentinel for each span, and the spans after their sentinels, with one more at the end."""
    tokens, spans = _amounts(settings, len(text))
    kept = _parts(random, len(text) - tokens, spans)
    gone = _parts(random, tokens, spans)
    left: list[np.ndarray] = []
    cut: list[np.ndarray] = []
    place = 0
    for number in range(spans):
        sentinel = np.array([vocabulary.extra + number])
        stop = place + kept[number]
        left += [text[place:stop], sentinel]
        place = stop + gone[number]
        cut += [sentinel, text[stop:place]]
    cut.append(np.array([vocabulary.extra + spans]))
    return np.concatenate(left), np.concatenate(cut)


def _parts(random: np.random.Generator, total: int, count: int) -> np.ndarray:
    """Return ``count`` positive numbers that make up ``total``, every such choice as likely as another."""
    cuts = np.sort(random.choice(total - 1, count - 1, replace=False)) + 1 if count > 1 else np.zeros(0, dtype=np.int64)
    return np.diff(np.concatenate([[0], cuts, [total]])).astype(np.int64)
