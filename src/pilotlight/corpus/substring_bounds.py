"""Bounds of sentences and words, to which a cut is drawn in so that no half of either is left."""

from __future__ import annotations

import re

# In text with hard line breaks most lines end inside a sentence: a line is one only after a mark or before a bullet.
_SENTENCE_START = re.compile(r"\A|(?:[.!?…][\"'”’»)\]]*\s+|[。！？]|\n\s*\n\s*|[^\w\s,;]\n\s*|\n\s*(?=[-*•#|]))(?=\S)")
_WORD_START = re.compile(r"\A|\s+(?=\S)")
_BY_NAME = {"sentence": _SENTENCE_START, "word": _WORD_START}
LEAST_WHOLE = 0.5
"""A cut that would lose more than this share by being drawn in to sentences is drawn in to words."""


def _first_bound(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    """Return the first place from ``start`` on where a unit begins; ``end`` if there is none."""
    if start == 0:
        return 0
    for found in pattern.finditer(text, max(0, start - 80), end):
        if found.end() >= start:
            return found.end()
    return end


def _last_bound(pattern: re.Pattern[str], text: str, start: int, end: int) -> int:
    """Return the last place up to ``end`` where a unit ends and the next begins; ``start`` if there is none."""
    if end == len(text):
        return end
    places = [found.end() for found in pattern.finditer(text, start, min(len(text), end + 80)) if found.end() <= end]
    return max([start, *places])


def snapped(text: str, start: int, end: int, bounds: str) -> tuple[int, int]:
    """Return the span drawn in to bounds of sentences (or lines) or words; ``none``: as it is.

    A cut ends where the next sentence or word begins, so white space between what is left is not doubled.
    """
    if bounds == "none":
        return start, end
    low, high = start, end
    for name in ("sentence", "word")[0 if bounds == "sentence" else 1 :]:
        pattern = _BY_NAME[name]
        low = _first_bound(pattern, text, start, end)
        high = _last_bound(pattern, text, low, end)
        if high - low >= LEAST_WHOLE * (end - start):
            break
    return low, high
