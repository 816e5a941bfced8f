"""Units of work that look for benchmark items in documents, decide on the documents, and report on the items."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pilotlight.corpus.contamination_index import LEAST, LONG, SHORT, Index, index, item_names, load_index
from pilotlight.corpus.contamination_spans import spans_of
from pilotlight.corpus.document import Document
from pilotlight.corpus.folded_text import folded
from pilotlight.corpus.hashed_words import batches, hash_words
from pilotlight.corpus.pile import Decision, facts, read_split, write_decisions
from pilotlight.corpus.store import Rows, rows
from pilotlight.stats.share import wilson

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Integer

HIT = np.dtype([("document", "<u4"), ("word", "<u4"), ("gram", "<u4")])
BEST = np.dtype([("item", "<u4"), ("share", "<f8"), ("document", "<u4"), ("documents", "<u4")])
_WHOLE = 0.9
"""Share of an item that even n-grams of many documents may tell, as they do where an item was copied often."""
_TINY = 1e-9

__all__ = ["common", "contamination_report", "count", "decide", "index", "summarize"]


def count(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Find the n-grams of ``inputs[1]`` (an index) in the documents of ``inputs[0]``, and in how many each stands."""
    del settings, watch
    found: list[np.ndarray[Any, Any]] = [np.zeros(0, HIT)]
    table = load_index(inputs[1])
    names: dict[int, tuple[str, str, int]] = {}
    first = 0
    for batch in batches(read_split(inputs[0])):
        words = hash_words([folded(document.text) for document in batch])
        where, grams = table.hits(words)
        documents = words.document[where]
        hits = np.empty(len(where), HIT)
        hits["document"], hits["word"], hits["gram"] = first + documents, where - words.ends[documents], grams
        found.append(hits)
        rows_found: list[int] = np.unique(documents).tolist()
        for row in rows_found:
            size = int(words.ends[row + 1] - words.ends[row])
            names[first + row] = (batch[row].id, batch[row].source, size)
        first += len(batch)
    hits = np.concatenate(found)
    pairs = np.unique(hits["document"].astype(np.uint64) << np.uint64(32) | hits["gram"])
    grams, counts = np.unique(pairs & np.uint64(0xFFFFFFFF), return_counts=True)
    for name, array in (("hits", hits), ("grams", grams.astype("<u4")), ("documents", counts.astype("<u4"))):
        np.save(out / f"{name}.npy", array, allow_pickle=False)
    (out / "names.json").write_text(json.dumps(list(names.items())), encoding="utf-8")
    return {"documents": first, "hits": len(hits)}


def common(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write which n-grams of the index ``inputs[0]`` are common: in many documents of the splits of the others."""
    del watch
    table = load_index(inputs[0])
    documents = np.zeros(len(table.grams), np.int64)
    for unit in inputs[1:]:
        documents[np.load(unit / "grams.npy")] += np.load(unit / "documents.npy")
    found = documents > settings["common_documents"]
    np.save(out / "common.npy", found, allow_pickle=False)
    return {"n-grams": len(found), "common": int(found.sum())}


@lru_cache(maxsize=1)
def _common(unit: Path) -> Bool[np.ndarray, " grams"]:
    return np.load(unit / "common.npy", allow_pickle=False)


def _expand(hits: np.ndarray[Any, Any], table: Index) -> tuple[Any, Any]:
    """Return for each hit and each posting of its n-gram the number of the hit and of the posting."""
    counts = table.first[hits["gram"] + np.int64(1)] - table.first[hits["gram"]]
    hit = np.repeat(np.arange(len(hits)), counts)
    within = np.arange(len(hit)) - np.repeat(np.cumsum(counts) - counts, counts)
    return hit, table.first[hits["gram"]][hit] + within


def _covered(
    group: Integer[np.ndarray, " rows"], end: Integer[np.ndarray, " rows"], n: Integer[np.ndarray, " rows"], size: int
) -> Float[np.ndarray, " groups"]:
    """Return how many words of each group n-grams cover that end at ``end``; rows are sorted by group and end."""
    gain = n.copy()
    same = group[1:] == group[:-1]
    gain[1:] = np.where(same, np.minimum(n[1:], end[1:] - end[:-1]), n[1:])
    return np.bincount(group, weights=gain, minlength=size)


def _shares(hits: np.ndarray[Any, Any], table: Index, is_common: Bool[np.ndarray, " grams"]) -> dict[str, Any]:
    """Return for each document and text of an item in it the share of the text that it holds.

    ``share`` is by n-grams that are not common, ``whole`` by all.
    """
    hit, posting = _expand(hits, table)
    document = hits["document"][hit].astype(np.int64)
    sequence = table.postings["sequence"][posting].astype(np.int64)
    end = table.postings["end"][posting].astype(np.int64)
    rare = ~is_common[hits["gram"][hit]]
    order = np.lexsort((end, sequence, document))
    document, sequence, end, rare = document[order], sequence[order], end[order], rare[order]
    fresh = np.ones(len(document), bool)
    fresh[1:] = (document[1:] != document[:-1]) | (sequence[1:] != sequence[:-1])
    group = np.cumsum(fresh) - 1
    n = table.sequences["n"][sequence].astype(np.int64)
    groups = int(fresh.sum())
    length = table.sequences["length"][sequence[fresh]].astype(np.float64)
    return {
        "document": document[fresh], "sequence": sequence[fresh],
        "share": _covered(group[rare], end[rare], n[rare], groups) / length,
        "whole": _covered(group, end, n, groups) / length,
    }  # fmt: skip


def _words_covered(hits: np.ndarray[Any, Any], table: Index) -> dict[int, int]:
    """Return how many words of each document stand in an n-gram of a benchmark."""
    n = table.sequences["n"][table.postings["sequence"][table.first[hits["gram"]]]].astype(np.int64)
    place = np.repeat(hits["word"].astype(np.int64), n)
    back = np.arange(len(place)) - np.repeat(np.cumsum(n) - n, n)
    every = np.unique(np.repeat(hits["document"].astype(np.int64), n) << 32 | (place - back))
    documents, counts = np.unique(every >> 32, return_counts=True)
    return dict(zip(documents.tolist(), counts.tolist(), strict=True))


def _needed(n: Integer[np.ndarray, " rows"], settings: Mapping[str, Any]) -> Float[np.ndarray, " rows"]:
    short = max(settings["item_share"], settings["short_item_share"])
    return np.where(n >= LONG, settings["item_share"], np.where(n >= SHORT, short, 1.0)) - _TINY


def _judge(shares: dict[str, Any], table: Index, settings: Mapping[str, Any]) -> None:
    """Add to ``shares`` the share that counts of each text, and whether it is enough (to tell, and to drop)."""
    texts = table.sequences[shares["sequence"]]
    often = (shares["whole"] >= _WHOLE) & (texts["length"] >= 2 * SHORT)
    shares["counts"] = np.where(often, shares["whole"], shares["share"])
    shares["item"] = texts["item"].astype(np.int64)
    shares["found"] = shares["counts"] >= _needed(texts["n"].astype(np.int64), settings)
    shares["enough"] = shares["found"] & (texts["length"] >= settings["least_words"])


def _best_of_items(shares: dict[str, Any], names: Mapping[int, Any]) -> np.ndarray[Any, Any]:
    """Return for each item the document that holds most of it, and how many hold enough."""
    keep = shares["counts"] > 0
    item, document, share = shares["item"][keep], shares["document"][keep], shares["counts"][keep]
    ranked = {row: rank for rank, row in enumerate(sorted(names, key=lambda row: names[row][0]))}
    rank = np.array([ranked[row] for row in document.tolist()], np.int64)
    order = np.lexsort((rank, -share, item))
    first = np.ones(len(order), bool)
    first[1:] = item[order][1:] != item[order][:-1]
    best = np.zeros(int(first.sum()), BEST)
    best["item"], best["share"] = item[order][first], share[order][first]
    best["document"] = document[order][first]
    pairs = np.unique(shares["item"][shares["found"]] << 32 | shares["document"][shares["found"]])
    items, counts = np.unique(pairs >> 32, return_counts=True)
    best["documents"][np.searchsorted(best["item"], items)] = counts
    return best


def decide(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the decisions on the split ``inputs[0]`` from its hits, the common n-grams and the index."""
    del watch
    split, counted, shared, unit = inputs
    table, is_common = load_index(unit), _common(shared)
    hits = np.load(counted / "hits.npy", allow_pickle=False)
    names = {int(row): found for row, found in json.loads((counted / "names.json").read_text(encoding="utf-8"))}
    shares = _shares(hits, table, is_common)
    _judge(shares, table, settings)
    best = _best_of_items(shares, names)
    np.save(out / "best.npy", best, allow_pickle=False)
    of_items = {"best": [names[row][0] for row in best["document"].tolist()]}
    (out / "best.json").write_text(json.dumps(of_items), encoding="utf-8")
    covered = _words_covered(hits[~is_common[hits["gram"]]], table)
    items = item_names(unit)
    judged = _judged(shares, covered, names, settings)
    texts = _texts(split, {row for row, found in judged.items() if found[2]}) if settings["action"] == "cut" else {}
    held: dict[str, list[int]] = {}
    decisions: list[Decision] = []
    for row, (at, share, goes) in judged.items():
        id, source, _ = names[row]
        decision = _decision(id, (shares, at, items), share, goes, settings)
        if goes and row in texts:
            kept = np.flatnonzero((shares["document"] == row) & shares["enough"]) if shares["enough"][at] else [at]
            sequences = set(shares["sequence"][kept].tolist())
            decision = _cut(decision, texts[row], hits[hits["document"] == row], table, sequences, settings)
        held.setdefault(source, [0, 0])[0 if decision.drop else 1] += bool(decision.drop or decision.cuts)
        decisions.append(decision)
    write_decisions(out, decisions)
    changed = {name: held[name] for name in sorted(held)}
    return {"decisions": len(decisions), "documents": facts(counted)["documents"], "dropped_and_cut": changed}


def _judged(
    shares: dict[str, Any], covered: Mapping[int, int], names: Mapping[int, Any], settings: Mapping[str, Any]
) -> dict[int, tuple[int, float, bool]]:
    """Return for each document the text of an item that it holds most of, its own share, and whether it goes."""
    order = np.lexsort((shares["sequence"], -shares["counts"], ~shares["enough"], shares["document"]))
    documents = shares["document"][order]
    first = np.ones(len(order), bool)
    first[1:] = documents[1:] != documents[:-1]
    judged: dict[int, tuple[int, float, bool]] = {}
    for at in order[first].tolist():
        row = int(shares["document"][at])
        share = covered.get(row, 0) / names[row][2]
        if shares["counts"][at] > 0:
            goes = bool(shares["enough"][at]) or (
                covered.get(row, 0) >= LEAST and share >= settings["document_share"] - _TINY
            )
            judged[row] = (at, share, goes)
    return judged


def _decision(
    id: str,
    found: tuple[dict[str, Any], int, list[tuple[str, int]]],
    share: float,
    goes: bool,
    settings: Mapping[str, Any],
) -> Decision:
    shares, at, items = found
    file, number = items[int(shares["item"][at])]
    item_share = min(1.0, round(float(shares["counts"][at]), 6))
    values = {"document_share": round(share, 6), "item_share": item_share, "item": f"{file}#{number}"}
    reason = ""
    if goes and shares["enough"][at]:
        reason = f"holds a benchmark item: {item_share:.0%} of {file}#{number}"
    elif goes:
        reason = f"is benchmark text: {share:.0%} of it, most of {file}#{number}"
    return Decision(id, reason, f"{file}#{number}" if goes else "", item_share if goes else None, values=values)


def _texts(split: Path, wanted: set[int]) -> dict[int, str]:
    every: Iterator[tuple[int, Document]] = enumerate(read_split(split))
    return {row: document.text for row, document in every if row in wanted} if wanted else {}


def _cut(
    decision: Decision, text: str, hits: np.ndarray[Any, Any], table: Index, sequences: set[int],
    settings: Mapping[str, Any],
) -> Decision:  # fmt: skip
    """Return the decision to cut the items out, or the given one if too little would be left."""
    hit, posting = _expand(hits, table)
    of_items = np.isin(table.postings["sequence"][posting], np.array(sorted(sequences)))
    chosen = np.unique(hit[of_items])
    n = table.sequences["n"][table.postings["sequence"][table.first[hits["gram"][chosen]]]].astype(np.int64)
    last = hits["word"][chosen].astype(np.int64)
    spans = spans_of(text, last - n + 1, last + 1)
    left = len(text) - sum(end - start for start, end in spans)
    if not spans or left < settings["least_left"]:
        return decision
    cuts = tuple((start, end, decision.twin) for start, end in spans)
    return Decision(decision.id, "", decision.twin, decision.similarity, cuts, decision.values)


def summarize(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write how much of each item of the index ``inputs[0]`` the corpus holds, from the decisions of all splits."""
    del settings, watch
    names, table = item_names(inputs[0]), load_index(inputs[0])
    best: dict[int, tuple[float, str, int]] = {}
    for unit in inputs[1:]:
        ids = json.loads((unit / "best.json").read_text(encoding="utf-8"))["best"]
        for row, id in zip(np.load(unit / "best.npy", allow_pickle=False).tolist(), ids, strict=True):
            item, share, _, documents = row
            old = best.get(item, (0.0, "", 0))
            better: tuple[float, str] = (share, id) if (-share, id) < (-old[0], old[1]) else (old[0], old[1])
            best[item] = (better[0], better[1], old[2] + documents)
    looked_for = np.zeros(len(names), bool)
    looked_for[table.sequences["item"]] = True
    files: dict[str, list[int]] = {}
    with Rows(out / "items.jsonl.zst", level=3) as file:
        for item, (name, number) in enumerate(names):
            share, id, documents = best.get(item, (0.0, "", 0))
            counts = files.setdefault(name, [0, 0, 0])
            counts[0] += 1
            counts[1] += int(looked_for[item])
            counts[2] += documents > 0
            row = {"item": f"{name}#{number}", "share": round(share, 6), "document": id, "documents": documents}
            file.write({**row, "looked_for": bool(looked_for[item])})
    return {"files": {name: _of_file(*counts) for name, counts in sorted(files.items())}}


def _of_file(items: int, looked_for: int, found: int) -> dict[str, Any]:
    low, high = wilson(found, looked_for)
    share = found / looked_for if looked_for else 0.0
    return {"items": items, "looked_for": looked_for, "found": found, "share": share, "low": low, "high": high}


def contamination_report(unit: Path, most: int = 100) -> dict[str, Any]:
    """Return what ``summarize`` wrote: ``files`` and the ``most`` worst ``items``.

    Of each file the counts, the share of items found among those looked for, and its interval of 95 %; of each item the
    share that one document holds of it, that document, and how many documents hold enough of it.
    """
    found = [row for row in rows(unit / "items.jsonl.zst") if row["share"] > 0]
    found.sort(key=lambda row: (-row["share"], -row["documents"], row["item"]))
    return {"files": cast("dict[str, Any]", facts(unit)["files"]), "items": found[:most]}
