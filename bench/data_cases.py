"""The jobs of `make bench-data` as Pilotlight does them: each a whole build or packing, read and written.

python bench/data_cases.py CASE CORPUS EMPTY_FOLDER WORKERS      (bench/data.py calls it)
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from peers.measuring import Job, run
from pii import peer
from pilotlight.corpus.build import build
from pilotlight.corpus.corpus import Corpus
from pilotlight.corpus.languages.identify import identify
from pilotlight.corpus.recipe import Recipe
from pilotlight.tokens.byte_pairs import END, PATTERN
from pilotlight.tokens.tokenizer import Tokenizer

QUALITY = ("gopher_repetition", "gopher", {"kind": "c4_lines", "ended": False}, "c4", "fineweb")
SLICE, OF_EACH = 250_000, 20_000  # characters that presidio gets, in all and of a document


def recipe(job: Job, steps: Sequence[Any] | None) -> Recipe:
    """Return a recipe over the corpus; without steps of its own it has the default ones and a held-out share."""
    source = {"kind": "jsonl", "path": str(job.docs), "keep": ["id"], "longest": 0}
    if steps is None:
        return Recipe.model_validate({"sources": [source]})
    return Recipe.model_validate({"sources": [source], "steps": list(steps), "held_out": 0.0})


def built(job: Job, steps: Sequence[Any] | None) -> Corpus:
    """Return the corpus that a recipe makes."""
    return build(recipe(job, steps), job.work / "corpus", workers=job.workers)


def told(corpus: Corpus) -> dict[str, Any]:
    """Return what stayed, and what was dropped by which step."""
    dropped = {
        step: sum(amount.documents for amount in reasons.values()) for step, reasons in corpus.facts.dropped.items()
    }
    return {"kept": corpus.facts.train.documents + corpus.facts.held_out.documents, "dropped": dropped}


def building(job: Job, *, steps: Sequence[Any] | None) -> dict[str, Any]:
    """Read, run the steps and write."""
    return told(job.spend(lambda: built(job, steps)))


def near(job: Job) -> dict[str, Any]:
    """Find near duplicates; ``ids`` are those of the documents that stayed."""
    step = {"kind": "near", "most_removed": 1.0}
    corpus = job.spend(lambda: built(job, [step]))
    return {"ids": [str(document.facts["id"]) for document in corpus.documents("train")]}


def tokenizer(job: Job, file: str) -> Tokenizer:
    """Return the tokenizer that lies beside the corpus, in one of its two forms."""
    given = {"kind": "file", "path": str(job.given / file)}
    if file.endswith(".tiktoken"):
        vocabulary = json.loads((job.given / "facts.json").read_text(encoding="utf-8"))["vocabulary"]
        given |= {"pattern": PATTERN, "special": {END: vocabulary - 1}, "end": END}
    return Tokenizer.choose(given)


def packed(job: Job, corpus: Corpus, settings: Tokenizer) -> int:
    """Return the number of tokens that are now on disk."""
    from pilotlight.tokens.pack import pack as write

    facts = write(corpus, settings, job.work / "tokens", workers=job.workers).manifest.facts
    return sum(split["tokens"] for split in facts["splits"].values())


def pack(job: Job, *, file: str) -> dict[str, Any]:
    """Read a corpus that is already built, encode it and write the ids."""
    corpus = built(job, [])
    settings = tokenizer(job, file)
    return {"tokens": job.spend(lambda: packed(job, corpus, settings))}


def learn(job: Job) -> dict[str, Any]:
    """Learn the tokenizer from the corpus and pack it."""
    corpus = built(job, [])
    vocabulary = json.loads((job.given / "facts.json").read_text(encoding="utf-8"))["vocabulary"]
    settings = Tokenizer.choose({"kind": "bpe", "vocabulary": vocabulary})
    return {"tokens": job.spend(lambda: packed(job, corpus, settings))}


def whole(job: Job) -> dict[str, Any]:
    """Run the default recipe and pack what stays, with a tokenizer that is given."""
    settings = tokenizer(job, "table.tiktoken")

    def work() -> Corpus:
        corpus = built(job, None)
        packed(job, corpus, settings)
        return corpus

    return told(job.spend(work))


def language_alone(job: Job) -> dict[str, Any]:
    """Name the language of each text as the filter does, without a build around it."""
    identify("a text to load the model")
    return {"documents": job.spend(lambda: sum(bool(identify(row["text"])) for row in job.rows()))}


def presidio(job: Job) -> dict[str, Any]:
    """Let presidio's pattern recognisers look at the beginning of the corpus: they are slow."""
    texts: list[str] = []
    for row in job.rows():
        texts.append(row["text"][:OF_EACH])
        if sum(map(len, texts)) > SLICE:
            break
    found, seconds = peer(texts, os.environ["PEER_PYTHON"])
    size = sum(len(text.encode()) for text in texts)
    return {"bytes": size, "cpu": seconds, "wall": seconds, "spans": sum(map(len, found))}


CASES: dict[str, Callable[[Job], dict[str, Any]]] = {
    "copy": partial(building, steps=()),
    "quality": partial(building, steps=QUALITY),
    "near": near,
    "pack": partial(pack, file="tokenizer.json"),
    "pack_table": partial(pack, file="table.tiktoken"),
    "learn": learn,
    "pii": partial(building, steps=("pii",)),
    "language": partial(building, steps=("language",)),
    "language_alone": language_alone,
    "whole": whole,
    "presidio": presidio,
}

if __name__ == "__main__":
    run(CASES)
