"""What a corpus is about: clusters of documents with readable labels."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from pilotlight.corpus.clusters import place
from pilotlight.corpus.pile import Pile, facts
from pilotlight.corpus.ranking import RankedUnits

_WORDS = 8


@final
@dataclass(frozen=True, slots=True)
class Topic:
    """A cluster of documents."""

    number: int
    words: tuple[str, ...]
    """The most distinctive words, the most telling first."""
    documents: int
    bytes: int
    sources: dict[str, int]
    """Bytes by source, the largest first."""

    @property
    def label(self) -> str:
        """The first words, to be read by people."""
        return ", ".join(self.words[:5]) or f"cluster {self.number}"


def topics(pile: Pile, clusters: int = 32, *, seed: int = 0, learn_from: int = 10_000) -> list[Topic]:
    """Return the topic clusters of the documents, the largest first; the centres are learned on ``learn_from`` of them.

    The same stages as the step ``diverse`` does: where it ran in the same flow with the same settings, nothing is
    computed again.
    """
    settings: dict[str, Any] = {"seed": seed, "clusters": clusters, "centres": "means", "learn_from": learn_from}
    placed = place(pile, settings, "luck")
    [unit] = pile.run("topics", "pilotlight.corpus.topics:describe", [(placed, {})])
    return [
        Topic(row["number"], tuple(row["words"]), row["documents"], row["bytes"], dict(row["sources"]))
        for row in facts(unit)["topics"]
    ]


def describe(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Return the topics as facts (a unit of work)."""
    del out, settings, watch
    ranked = RankedUnits.open(inputs)
    table = np.zeros((len(ranked.groups), len(ranked.sources)))
    documents = np.zeros(len(ranked.groups), np.int64)
    for rows in ranked:
        rows = rows[rows["group"] >= 0]
        np.add.at(table, (rows["group"], rows["source"]), rows["bytes"].astype(np.float64))
        documents += np.bincount(rows["group"], minlength=len(documents))
    counts: dict[int, Counter[str]] = {}
    for unit in inputs:
        for cluster, words in json.loads((unit / "words.json").read_text(encoding="utf-8")).items():
            counts.setdefault(int(cluster), Counter()).update(words)
    everywhere: Counter[str] = Counter()
    for words in counts.values():
        everywhere.update(words)
    found: list[dict[str, Any]] = [
        {
            "number": int(name), "words": distinctive(counts.get(int(name), Counter()), everywhere),
            "documents": int(documents[place]), "bytes": int(table[place].sum()),
            "sources": sorted(
                ((source, int(size)) for source, size in zip(ranked.sources, table[place].tolist(), strict=True) if size),
                key=lambda item: (-item[1], item[0]),
            ),
        }
        for place, name in enumerate(ranked.groups)
    ]  # fmt: skip
    return {"topics": sorted(found, key=lambda row: (-row["bytes"], row["number"]))}


def distinctive(own: Counter[str], everywhere: Counter[str], most: int = _WORDS) -> list[str]:
    """Return the words that set ``own`` apart: by the signed log-likelihood ratio (Dunning 1993) of documents."""
    here, total = sum(own.values()), sum(everywhere.values())
    rest = total - here

    def tell(word: str) -> float:
        inside, outside = own[word], everywhere[word] - own[word]
        expected = everywhere[word] * here / total
        if inside <= expected:
            return 0.0
        found = inside * math.log(inside / expected)
        return found + (outside * math.log(outside / (everywhere[word] * rest / total)) if outside else 0.0)

    ranked = sorted(((-round(tell(word), 9), word) for word in own if own[word] > 1), key=lambda pair: pair)
    return [word for score, word in ranked[:most] if score < 0]
