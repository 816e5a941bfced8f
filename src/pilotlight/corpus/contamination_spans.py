"""Where in a text the words of benchmark items stand, widened to whole sentences."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from pilotlight.corpus.folded_text import folded_with_places
from pilotlight.corpus.hashed_words import hash_words

if TYPE_CHECKING:
    from jaxtyping import Integer

WIDEST = 200
"""Characters that a cut may reach beyond the words found, on either side (Brown et al. 2020 cut as many)."""
_GAP = 13
"""Words between two stretches of an item that are cut with them: an edited word hides all n-grams around it."""
_BOUND = re.compile(r"[.!?…。！？][\"'”’»)\]]*\s+|[。！？]|\n+\s*")
# What white space parts, and each character of a script without spaces: no word reaches beyond one of these.
_UNSPACED = "\u0e00-\u0eff\u1000-\u10bf\u1780-\u17ff\u3000-\u9fff\U00010000-\U0003ffff"
_STRETCH = re.compile(f"[{_UNSPACED}]|[^\\s{_UNSPACED}]+")


def _sentence_start(text: str, at: int) -> int:
    begin = max(0, at - WIDEST)
    bounds = [found.end() for found in _BOUND.finditer(text, begin, at) if found.end() <= at]
    return bounds[-1] if bounds else 0 if begin == 0 else at


def _sentence_end(text: str, at: int) -> int:
    found = _BOUND.search(text, max(0, at - 1), at + WIDEST)
    if found:
        return max(at, found.end())
    return len(text) if len(text) <= at + WIDEST else at


def spans_of(
    text: str, first: Integer[np.ndarray, " stretches"], stop: Integer[np.ndarray, " stretches"]
) -> list[tuple[int, int]]:
    """Return spans of characters, sorted and apart, around stretches of words (numbers of the words, ``stop`` not in).

    They reach to the bounds of sentences or lines where one is near.
    """
    plain, places = folded_with_places(text)
    stretches = list(_STRETCH.finditer(plain))
    counts = np.diff(hash_words([found[0] for found in stretches]).ends)
    of = np.repeat(np.arange(len(stretches)), counts).tolist()
    spans: list[tuple[int, int]] = []
    order = np.argsort(first, kind="stable")
    joined: list[list[int]] = []
    for low, high in zip(first[order].tolist(), stop[order].tolist(), strict=True):
        if joined and low <= joined[-1][1] + _GAP:
            joined[-1][1] = max(joined[-1][1], high)
        else:
            joined.append([low, high])
    for low, high in joined:
        if high > len(of):
            continue
        begin = _sentence_start(text, int(places[stretches[of[low]].start()]))
        end = _sentence_end(text, int(places[stretches[of[high - 1]].end() - 1]) + 1)
        if spans and begin <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((begin, end))
    return spans
