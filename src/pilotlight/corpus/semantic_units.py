"""Units of work that find texts of like meaning: vectors, cells of neighbours, and who stands for whom."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.corpus.edit import in_scope
from pilotlight.corpus.hashed_words import chances, split_batches
from pilotlight.corpus.partitions import read_partition, write_partitions
from pilotlight.corpus.pile import Decision, facts, write_decisions
from pilotlight.corpus.vectors import FEATURES, WIDTH, document_counts, given_vectors, rarity, whole, word_vectors

if TYPE_CHECKING:
    from jaxtyping import Float, Int16, Integer

TEXT = np.dtype([("id", "S32"), ("source", "<u2"), ("chance", "<u8")])
ATTACHED = np.dtype([("id", "S32"), ("twin", "S32"), ("similarity", "<f4"), ("split", "<u4"), ("row", "<u4")])
MOST_SAMPLED = 1 << 14
_ROUNDS = 8
_TOGETHER = 1 << 11


def count(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write in how many documents of a split each feature stands."""
    del settings, watch
    counts, documents = np.zeros(FEATURES, np.int64), 0
    for batch, words in split_batches(inputs[0]):
        counts += document_counts(words)
        documents += len(batch)
    np.save(out / "counts.npy", counts.astype("<u4"), allow_pickle=False)
    return {"documents": documents}


def weigh(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the weight of each feature over all splits."""
    del settings, watch
    counts = np.zeros(FEATURES, np.int64)
    for unit in inputs:
        counts += np.load(unit / "counts.npy", allow_pickle=False)
    documents = sum(facts(unit)["documents"] for unit in inputs)
    np.save(out / "weights.npy", rarity(counts, documents), allow_pickle=False)
    return {"documents": documents}


def direct(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the vectors of a split: from its words and the weights ``inputs[1]``, or from ``settings["embeddings"]``.

    Texts that are too short, or out of scope, have a vector of zeros, which is like nothing.
    """
    del watch
    weights = np.load(inputs[1] / "weights.npy") if len(inputs) > 1 else np.zeros(0)
    ids: list[str] = []
    sources: dict[str, int] = {}
    of_source: list[int] = []
    fit: list[bool] = []
    vectors: list[Any] = []
    for batch, words in split_batches(inputs[0]):
        for document, size in zip(batch, np.diff(words.ends).tolist(), strict=True):
            content = str(document.facts.get("content", "prose"))
            fit.append(size >= settings["least_words"] and in_scope(settings["applies_to"], content))
            ids.append(document.id)
            of_source.append(sources.setdefault(document.source, len(sources)))
        if len(weights):
            vectors.append(word_vectors(words, weights))
    if len(weights):
        every = np.concatenate([np.zeros((0, WIDTH), np.int16), *vectors])
    else:
        every = given_vectors(Path(settings["embeddings"]), ids)
    every[~np.array(fit, bool)] = 0
    table = np.zeros(len(ids), TEXT)
    table["id"], table["source"], table["chance"] = [id.encode() for id in ids], of_source, chances(0, ids)
    np.save(out / "vectors.npy", every, allow_pickle=False)
    np.save(out / "texts.npy", table, allow_pickle=False)
    documents = np.bincount(np.array(of_source, np.int64), minlength=len(sources)).tolist()
    return {"documents": len(ids), "sources": dict(zip(sources, documents, strict=True))}


def _sample(units: Sequence[Path], most: int) -> Int16[np.ndarray, "documents width"]:
    """Return the vectors of the documents with the smallest chances, whatever split they are in, in that order."""
    best: np.ndarray[Any, Any] = np.zeros((0, 3), np.uint64)
    for number, unit in enumerate(units):
        chance = np.load(unit / "texts.npy", mmap_mode="r")["chance"]
        rows = np.arange(len(chance), dtype=np.uint64)
        new = np.stack([np.array(chance), np.full_like(rows, number), rows], 1)
        best = np.concatenate([best, new])
        best = best[np.argsort(best[:, 0], kind="stable")[:most]]
    found: list[Any] = [None] * len(best)
    for number, unit in enumerate(units):
        places = np.flatnonzero(best[:, 1] == number)
        if len(places):
            vectors = np.load(unit / "vectors.npy", mmap_mode="r")
            for place, row in zip(places.tolist(), best[places, 2].tolist(), strict=True):
                found[place] = vectors[row]
    kept = [vector for vector in found if vector.any()]
    return np.stack(kept) if kept else np.zeros((0, 1), np.int16)


def centre(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the centres of ``settings["cells"]`` cells: spherical k-means on a sample (Dhillon and Modha 2001)."""
    del watch
    sample = _sample(inputs, MOST_SAMPLED).astype(np.float32)
    centres = sample[: settings["cells"]].copy()
    for _ in range(_ROUNDS):
        nearest = np.concatenate([np.zeros(0, np.int64), *(
            (sample[at : at + _TOGETHER] @ centres.T).argmax(1) for at in range(0, len(sample), _TOGETHER)
        )])  # fmt: skip
        for cell in range(len(centres)):
            members = sample[nearest == cell]
            if len(members):
                centres[cell] = whole(members.astype(np.float64).sum(0, keepdims=True))[0]
    np.save(out / "centres.npy", centres, allow_pickle=False)
    return {"cells": len(centres)}


def place(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write each document of the vectors ``inputs[0]`` under its nearest cell and the next ones."""
    del watch
    vectors = np.load(inputs[0] / "vectors.npy", allow_pickle=False)
    ids = np.load(inputs[0] / "texts.npy", allow_pickle=False)["id"]
    centres = np.load(inputs[1] / "centres.npy", allow_pickle=False)
    rows = np.flatnonzero(vectors.any(1))
    cells = min(1 + settings["neighbours"], len(centres))
    entry = np.dtype([("id", "S32"), ("row", "<u4"), ("split", "<u4"), ("vector", "<i2", (vectors.shape[1],))])
    found, of = [np.zeros(0, entry)], [np.zeros(0, np.int64)]
    for at in range(0, len(rows), _TOGETHER):
        some = rows[at : at + _TOGETHER]
        near = np.argsort(-(vectors[some].astype(np.float32) @ centres.T), axis=1, kind="stable")[:, :cells]
        table = np.zeros(len(some), entry)
        table["id"], table["row"], table["split"], table["vector"] = ids[some], some, settings["split"], vectors[some]
        for nth in range(cells):
            found.append(table)
            of.append(near[:, nth])
    write_partitions(out, "cells", np.concatenate(found), np.concatenate(of), max(1, len(centres)))
    return {"documents": len(rows)}


def attach(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write for the documents of one cell which one stands for each, by the documents of this cell alone.

    In the order of their ids, held-out documents first, a document is attached to the one that is most like it among
    those before it that are not attached themselves.
    """
    del watch
    rows = read_partition(inputs, "cells", settings["cell"])
    free = rows["split"] < settings["splits"]
    rows = rows[np.lexsort((rows["id"], free))]
    fixed = int((~free).sum())
    vectors = rows["vector"].astype(np.float32)
    stays = np.ones(len(rows), bool)
    found: list[Any] = []
    for at in range(fixed, len(rows), _TOGETHER):
        block = vectors[at : at + _TOGETHER]
        alike = _normal(block, vectors[: at + len(block)]) >= settings["similarity"]
        for row in np.flatnonzero(np.tril(alike, at - 1).any(1)).tolist():
            before = np.flatnonzero(alike[row, : at + row] & stays[: at + row])
            if not len(before):
                continue
            similarity = _normal(vectors[at + row][None], vectors[before])[0]
            best = int(similarity.argmax())
            stays[at + row] = False
            twin, own = rows[before[best]]["id"], rows[at + row]
            found.append((own["id"], twin, min(1.0, float(similarity[best])), own["split"], own["row"]))
    np.save(out / "attached.npy", np.array(found, ATTACHED), allow_pickle=False)
    return {"documents": len(rows), "attached": len(found)}


def _normal(
    left: Float[np.ndarray, "documents width"], right: Float[np.ndarray, "others width"]
) -> Float[np.ndarray, "documents others"]:
    """Return cosines of vectors of whole numbers: the products are exact, the lengths nearly the same."""
    lengths = [np.sqrt((side * side).sum(1)) for side in (left, right)]
    return (left @ right.T) / lengths[0][:, None] / lengths[1][None]


def settle(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write who goes, by split: a document that some cell attaches to one that stays.

    Memory is for the attached documents of all cells, not for their texts or vectors.
    """
    del watch
    every = np.concatenate([np.zeros(0, ATTACHED), *(np.load(unit / "attached.npy") for unit in inputs)])
    every = every[np.lexsort((every["twin"], -every["similarity"], every["id"]))]
    goes: set[bytes] = set()
    chosen: list[int] = []
    for number, (id, twin) in enumerate(zip(every["id"].tolist(), every["twin"].tolist(), strict=True)):
        if id not in goes and twin not in goes:
            goes.add(id)
            chosen.append(number)
    found = every[np.array(chosen, np.int64)]
    write_partitions(out, "gone", found, found["split"].astype(np.int64), settings["splits"])
    return {"documents": len(found)}


def decide(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the decisions on the split of the vectors ``inputs[0]`` from who goes (``inputs[1]``)."""
    del watch
    found = read_partition(inputs[1:], "gone", settings["split"])
    found = found[np.argsort(found["row"], kind="stable")]
    table = np.load(inputs[0] / "texts.npy", allow_pickle=False)
    decisions: list[Decision] = []
    for row in found:
        similarity = round(float(row["similarity"]), 6)
        reason = f"means nearly the same: {similarity:.3f}"
        decisions.append(Decision(row["id"].decode(), reason, row["twin"].decode(), similarity))
    write_decisions(out, decisions)
    sources = list(facts(inputs[0])["sources"])
    counts: Integer[np.ndarray, " sources"] = np.bincount(table["source"][found["row"]], minlength=len(sources))
    return {"decisions": len(decisions), "removed": dict(zip(sources, counts.tolist(), strict=True))}
