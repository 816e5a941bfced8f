"""What an encoder does with numbers, indentation and single characters, found by trying."""

from __future__ import annotations

import numpy as np

from pilotlight.randomness import stream
from pilotlight.spec import Record
from pilotlight.tokens.tokenizer import Encoder

_NUMBERS = 40
_LONGEST_NUMBER = 9
_INDENTS = (4, 8, 12, 16)


class Behaviour(Record):
    """How numbers and indentation are cut."""

    digits_per_token: float | None
    """Digits of a number in one token, over numbers of 1 to 9 digits; None: a digit is lost, so there is no such rate."""
    regular_numbers: bool | None
    """Whether numbers of the same length are always cut at the same places; where not, digits are harder to add."""
    tokens_per_indent: float
    """Tokens of an indentation, over 4, 8, 12 and 16 spaces."""


def behaviour(encoder: Encoder) -> Behaviour:
    """Return how ``encoder`` cuts numbers and indentation."""
    digits = tokens = 0
    regular = kept = True
    for length in range(1, _LONGEST_NUMBER + 1):
        low, high = 10 ** (length - 1), 10**length
        numbers = [str(number) for number in stream(0, "numbers", length).integers(low, high, _NUMBERS)]
        cuts = [_cut(encoder, ids) for ids in encoder.encode_batch(numbers)]
        kept &= all(sum(cut) == length for cut in cuts)
        digits += length * len(numbers)
        tokens += sum(len(cut) for cut in cuts)
        regular &= len(set(cuts)) == 1
    bare = len(encoder.encode("\nx"))
    indents = [len(encoder.encode("\n" + " " * width + "x")) - bare for width in _INDENTS]
    return Behaviour(
        digits_per_token=digits / max(tokens, 1) if kept else None, regular_numbers=regular if kept else None,
        tokens_per_indent=sum(indents) / len(indents),
    )  # fmt: skip


def _cut(encoder: Encoder, ids: np.ndarray) -> tuple[int, ...]:
    found = (sum(mark.isdigit() for mark in encoder.decode([id])) for id in ids.tolist())
    return tuple(count for count in found if count)


def fragment_share(encoder: Encoder, counts: np.ndarray) -> float:
    """Return the share of tokens that are only a part of a character, where ``counts`` says how often each id occurs."""
    seen = np.flatnonzero(counts)
    parts = [id for id in seen.tolist() if "\ufffd" in encoder.decode([id])]
    return float(counts[parts].sum() / max(counts.sum(), 1))
