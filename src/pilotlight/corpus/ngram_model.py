"""A language model of word n-grams in tables of fixed size, to say how expected a text is.

Counts of hashed n-grams are a mergeable fold. The probability of a word is interpolated from the longest context down
(MacKay and Peto 1995, "A hierarchical Dirichlet language model"):

    p(w | h) = (count(h w) + strength * p(w | shorter h)) / (count(h) + strength)

and ends in the chance to spell the word byte by byte, so that unknown words cost by their length. Where the model is
trained on the documents it judges, two models are trained on two halves, and a text is judged by the model of the
half it is not in; texts that read the same are in the same half, so nothing is ever judged by its own count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.corpus.document import Document
from pilotlight.corpus.hashed_words import HashedWords, batches, chances, hash_words, mix, n_grams
from pilotlight.corpus.pile import Pile, facts, read_split
from pilotlight.corpus.ranking import refuse_unknown_sources
from pilotlight.corpus.target_text import read_texts, together
from pilotlight.errors import DataError

if TYPE_CHECKING:
    from jaxtyping import Float, Integer

TABLE = "table.npy"
CELLS = "cells.npy"
STRENGTH = (20.0, 100.0, 20.0, 10.0, 8.0, 8.0)
"""Weight of the shorter context, in words, by order; chosen on prose of two languages, measured on others."""
SPELLING_BITS = 5.0
"""Bits to spell one byte of an unknown word."""
_MOST_BITS = 1000.0
_CALL = "pilotlight.corpus.ngram_model:"


def train(pile: Pile, settings: dict[str, Any]) -> Path:
    """Return the unit with the model: of the text in ``settings["path"]``, or of the documents of the pile.

    Settings: ``order``, ``cells`` (a power of two), ``most_bytes`` of text to learn from, ``seed``; ``path`` and
    ``digest`` of a file, or ``source``: learn from the documents of this source only.

    Raises:
        DataError: no document is of the source.
    """
    if settings.get("path"):
        counted = pile.run("count", f"{_CALL}count_file", [((), settings)])
    else:
        weighed = pile.run(
            "weigh", f"{_CALL}weigh", [((split,), {"source": settings["source"]}) for split in pile.splits]
        )
        if settings["source"]:
            known = (name for unit in weighed for name in facts(unit)["sources"])
            refuse_unknown_sources((settings["source"],), known, "target_source")
        total = sum(int(facts(unit)["bytes"]) for unit in weighed)
        given = {**settings, "chance": min(1.0, settings["most_bytes"] / max(1, total))}
        counted = pile.run("count", f"{_CALL}count_split", [((split,), given) for split in pile.splits])
    [model] = pile.run("learn", f"{_CALL}merge", [(counted, settings)])
    return model


def weigh(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Return the bytes of the documents of a split that may be learned from, and all sources (a unit of work)."""
    del out, watch
    source, size = settings["source"], 0
    sources: set[str] = set()
    for one in read_split(inputs[0]):
        sources.add(one.source)
        size += one.bytes if source in ("", one.source) else 0
    return {"bytes": size, "sources": sorted(sources)}


def half_of(words: HashedWords) -> Integer[np.ndarray, " documents"]:
    """Return in which half (0 or 1) each document is; the same for documents with the same words."""
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(words.hashes)])
    bags = mix(sums[words.ends[1:]] - sums[words.ends[:-1]])
    return (bags >> np.uint64(63)).astype(np.int64)


def _cells(words: HashedWords, order: int, cells: int) -> list[Integer[np.ndarray, " words"]]:
    shift = np.uint64(64 - (cells.bit_length() - 1))
    return [(hashes >> shift).astype(np.int64) for hashes in n_grams(words, order)]


def _add(table: Any, words: HashedWords, half: Integer[np.ndarray, " documents"]) -> None:
    """Count the n-grams of a batch in ``table`` [half, order, cell]."""
    place, each = words.place(), half[words.document]
    _, order, cells = table.shape
    for size, cell in enumerate(_cells(words, order, cells), 1):
        for side in (0, 1):
            np.add.at(table[side, size - 1], cell[(each == side) & (place >= size - 1)], 1)


def _write(out: Path, table: Any) -> None:
    """Write the cells that are not empty: of one split they are few."""
    flat = table.reshape(-1)
    used = np.flatnonzero(flat)
    rows = np.zeros(len(used), np.dtype([("cell", "<u4"), ("count", "<u4")]))
    rows["cell"], rows["count"] = used, flat[used]
    np.save(out / CELLS, rows, allow_pickle=False)


def _empty(settings: dict[str, Any]) -> Any:
    return np.zeros((2, int(settings["order"]), int(settings["cells"])), np.uint32)


def count_split(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Count the n-grams of the documents of a split that are learned from (a unit of work)."""
    del watch
    table = _empty(settings)
    words_seen = 0
    for batch in batches(_learned(inputs[0], settings)):
        words = hash_words([document.text for document in batch])
        words_seen += len(words.hashes)
        _add(table, words, half_of(words))
    _write(out, table)
    return {"words": words_seen}


def _learned(split: Path, settings: dict[str, Any]) -> Iterator[Document]:
    """Return the documents of the source, as many of them as are learned from: chosen by a hash of their ids."""
    source, seed, chance = settings["source"], int(settings["seed"]), float(settings["chance"])
    limit = int(chance * 2.0**64)
    for document in read_split(split):
        if source in ("", document.source) and (chance >= 1 or int(chances(seed, (document.id,))[0]) < limit):
            yield document


def count_file(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Count the n-grams of the texts in a file, the first ``most_bytes`` of it (a unit of work)."""
    del inputs, watch
    table = _empty(settings)
    words_seen, size = 0, 0
    for texts in together(read_texts(Path(settings["path"]))):
        words = hash_words(texts)
        words_seen += len(words.hashes)
        size += int(words.sizes.sum()) + len(words.sizes)
        _add(table, words, np.zeros(len(texts), np.int64))
        if size > settings["most_bytes"]:
            break
    table[1] = table[0]
    _write(out, table)
    return {"words": words_seen}


def merge(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Add the counts up (a unit of work).

    Raises:
        DataError: there is nothing to learn from.
    """
    del watch
    table = _empty(settings)
    flat = table.reshape(-1)
    for unit in inputs:
        rows = np.load(unit / CELLS, allow_pickle=False)
        flat[rows["cell"]] += rows["count"]
    words = sum(int(facts(unit)["words"]) for unit in inputs)
    if not words:
        named = settings.get("path") or (f"the source {settings['source']!r}" if settings["source"] else "the corpus")
        raise DataError(f"{named} holds no words to learn a model from; name text of the kind that is to be expected.")
    np.save(out / TABLE, table, allow_pickle=False)
    used = [round(float((table[:, size] > 0).mean()), 4) for size in range(table.shape[1])]
    return {"words": words, "share_of_cells_used": used}


def load_model(unit: Path) -> Integer[np.ndarray, "2 order cells"]:
    """Return the counts of a trained model; pages of the file are shared by all processes of a machine."""
    return np.load(unit / TABLE, mmap_mode="r", allow_pickle=False)


def bits_of_words(
    words: HashedWords, model: Integer[np.ndarray, "2 order cells"], half: Integer[np.ndarray, " documents"]
) -> Float[np.ndarray, " words"]:
    """Return the bits that each word costs under the model of the half that its document is not in."""
    _, order, cells = model.shape
    table = model.reshape(2, -1)
    place = words.place()
    other = 1 - half[words.document]
    totals = np.array([table[side, :cells].sum(dtype=np.float64) for side in (0, 1)])
    chance = np.exp2(-np.minimum(SPELLING_BITS * (words.sizes + 1.0), _MOST_BITS))
    before: Any = totals[other]
    flat = model.reshape(-1)
    for size, cell in enumerate(_cells(words, order, cells), 1):
        seen = flat[cell + (other * order + size - 1) * cells].astype(np.float64)
        strength = STRENGTH[size - 1]
        # Where two n-grams share a cell, the longer one can seem more frequent than its beginning.
        mixed = (np.minimum(seen, before) + strength * chance) / (before + strength)
        chance = np.where(place >= size - 1, mixed, chance)
        before = np.concatenate([np.zeros(1), seen[:-1]])
    return -np.log2(chance)


def bits_per_byte(
    words: HashedWords, model: Integer[np.ndarray, "2 order cells"], half: Integer[np.ndarray, " documents"]
) -> Float[np.ndarray, " documents"]:
    """Return the bits per byte of words (and the space after each) of every document; NaN where there is no word."""
    bits = words.sums(bits_of_words(words, model, half))
    size = words.sums(words.sizes + 1.0)
    return np.where(size > 0, bits / np.maximum(size, 1), np.nan)


def score_split(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the bits per byte of the documents of a split, ranked within ``settings["groups"]`` (a unit of work)."""
    from pilotlight.corpus.ranking import RankedRows, group_of

    del watch
    split, unit = inputs
    model = load_model(unit)
    rows = RankedRows(int(settings["seed"]))
    for batch in batches(read_split(split)):
        words = hash_words([document.text for document in batch])
        values = bits_per_byte(words, model, half_of(words))
        rows.add(batch, values.tolist(), [group_of(document, settings["groups"]) for document in batch])
    return rows.write(out)
