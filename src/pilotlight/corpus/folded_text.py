"""Text without what copies of it differ in: letter case, accents, punctuation, line breaks, widths of characters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Integer

# Marks over and under letters, vowel points of Hebrew and Arabic, and characters that cannot be seen.
_UNSEEN = re.compile(
    "[\u00ad\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u200b-\u200f\u202a-\u202e"
    "\u2060-\u2064\ufe00-\ufe0f\ufeff]+"
)
_BROKEN_WORD = re.compile(r"[-\u2010\u00ad](?<=[^\W\d_].)\r?\n[ \t>]*(?=[^\W\d_])")


_WIDE = re.compile(r"[^\x00-\x7f]+")


@lru_cache(maxsize=1 << 16)
def _fold(text: str) -> str:
    return _UNSEEN.sub("", unicodedata.normalize("NFKD", text).casefold())


def _folded_run(found: re.Match[str]) -> str:
    run = found[0]
    return _fold(run) if len(run) <= 24 else _fold.__wrapped__(run)


def folded(text: str) -> str:
    """Return the text with words that a line break cuts put together, and without case, accents and widths.

    Compatible characters become one (NFKD: a ligature its letters, a full-width letter its narrow one). Punctuation
    and white space stay: words are told apart by them.
    """
    if "\n" in text and ("-" in text or "\u2010" in text or "\u00ad" in text):
        text = _BROKEN_WORD.sub("", text)
    return (text if text.isascii() else _WIDE.sub(_folded_run, text)).lower()


def folded_with_places(text: str) -> tuple[str, Integer[np.ndarray, " characters"]]:
    """Return the folded text, and for each of its characters which one of ``text`` it comes from."""
    parts: list[str] = []
    places: list[int] = []
    at = 0
    for broken in [*_BROKEN_WORD.finditer(text), None]:
        end = broken.start() if broken else len(text)
        for place in range(at, end):
            character = text[place].lower() if text[place].isascii() else _fold(text[place])
            parts.append(character)
            places += [place] * len(character)
        at = broken.end() if broken else end
    return "".join(parts), np.array(places, np.int64)
