"""A small corpus with something for every section of its page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pilotlight.corpus.build import build
from pilotlight.corpus.corpus import Corpus
from pilotlight.corpus.recipe import Recipe

TOWNS = ("Ordino", "Canillo", "Encamp", "Escaldes", "Pas", "Soldeu", "Arinsal", "Pal")
STEPS: tuple[Any, ...] = (
    "unicode", "language", "pii", "length", {"kind": "toxicity", "only_annotate": False}, "identity", "exact", "near",
)  # fmt: skip


def story(number: int) -> str:
    """Return an English text that no other number gives, with some words of its own in every sentence."""
    town, other = TOWNS[number % 8], TOWNS[(number // 8) % 8]
    return (
        f"On day {number} of the year the old woman from {town} walked to {other} with {number % 7 + 2} friends. "
        f"They wanted to see the kind man who keeps {number * 3 + 1} sheep above the river, and they were happy to find him. "
        f"He told them story number {number * 17 % 101}, about a bridge of {number * 13 % 89} stones and a bad winter long ago. "
        f"When it was time to go home, {number * 31 % 97} stars were in the sky over {town}, and nobody was afraid."
    )


def texts(count: int = 90) -> list[str]:
    """Return stories, and among them copies, near copies, short texts, private data and insults."""
    stories = [story(number) for number in range(count)]
    found = [*stories, stories[3], stories[4], *(f"{text} The end." for text in stories[5:8])]
    found += ["too short", "x", "Shut up, you stupid moron. You are a pathetic idiot and everybody knows it."]
    found += [f"{story(500 + place)} Write to anna.serra{place}@correu.example.cat today." for place in range(4)]
    return found


def write_corpus(folder: Path, extra: tuple[str, ...] = (), **recipe: Any) -> Corpus:
    """Return a corpus of two sources in ``folder / "corpus"``; ``extra`` texts go into the first."""
    folder.mkdir(parents=True, exist_ok=True)
    given = [*texts(), *extra]
    lines = [json.dumps({"text": text}) for text in given]
    (folder / "web.jsonl").write_text("\n".join(lines) + "\n{broken\n", encoding="utf-8")
    others = [json.dumps({"text": story(1000 + number), "licence": "CC0-1.0"}) for number in range(40)]
    (folder / "books.jsonl").write_text("\n".join(others) + "\n", encoding="utf-8")
    settings = {
        "sources": [
            {"kind": "jsonl", "path": folder / "web.jsonl"},
            {"kind": "jsonl", "path": folder / "books.jsonl", "keep": ["licence"]},
        ],
        "steps": STEPS,
        "held_out": 0.05,
    }
    return build(Recipe.model_validate({**settings, **recipe}), folder / "corpus", workers=0)
