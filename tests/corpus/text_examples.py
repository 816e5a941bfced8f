"""Small texts for the tests of the corpus."""

from __future__ import annotations

import json
from pathlib import Path

WORDS = (
    *("the", "law", "of", "this", "small", "country", "says", "that", "every", "person", "may", "read", "write"),
    *("and", "speak", "in", "any", "language", "they", "know"),
)


def sentence(number: int, words: int = 30) -> str:
    """Return a sentence that no other number gives."""
    chosen = [WORDS[(number * 7 + place * (number % 5 + 1)) % len(WORDS)] for place in range(words)]
    return f"Article {number}: {' '.join(chosen)}."


def write_jsonl(path: Path, texts: list[str], field: str = "text") -> Path:
    """Write one JSON object per text and return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps({field: text}) + "\n" for text in texts), encoding="utf-8")
    return path
