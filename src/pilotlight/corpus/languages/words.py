"""Which languages the short, frequent words of a text speak for."""

from __future__ import annotations

import math
from functools import cache
from importlib.resources import files

_MOST_LANGUAGES = 20  # a word of more languages tells little, and costs time


@cache
def _lists() -> tuple[dict[str, tuple[tuple[str, float], ...]], frozenset[str]]:
    """Return the languages that list each word with what it weighs, and the languages that have a list."""
    lists: dict[str, list[str]] = {}
    text = (files("pilotlight.corpus.languages") / "function_words.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            code, words = line.split("|")
            lists[code] = words.split()
    of_word: dict[str, list[str]] = {}
    for code, words in lists.items():
        for word in words:
            of_word.setdefault(word, []).append(code)
    of_word = {word: codes for word, codes in of_word.items() if len(codes) <= _MOST_LANGUAGES}
    # A word of one language says more than one that twenty share.
    weights = {word: math.log(len(lists) / len(codes)) / math.log(len(lists)) for word, codes in of_word.items()}
    return {word: tuple((code, weights[word]) for code in codes) for word, codes in of_word.items()}, frozenset(lists)


def listed_languages() -> frozenset[str]:
    """Return the languages that have a list of function words."""
    return _lists()[1]


def word_evidence(text: str) -> tuple[dict[str, float], int]:
    """Return the summed weights of the words of ``text`` that each language lists, and the number of all words."""
    of_word = _lists()[0]
    found: dict[str, float] = {}
    words = text.lower().split()
    for word in words:
        for code, weight in of_word.get(word, ()):
            found[code] = found.get(code, 0.0) + weight
    return found, len(words)
