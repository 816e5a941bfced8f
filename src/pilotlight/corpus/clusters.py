"""Clusters of documents by their words, and what each is about.

A document is a hashed TF-IDF vector without function words, in which words that most documents of its language have
weigh little, projected to a few dozen random directions; the centres are found on a deterministic sample (k-means, or
farthest first), and every document belongs to the nearest. All sums run in a fixed order and no threaded matrix product
is used, so the same documents have the same clusters everywhere.
"""

from __future__ import annotations

import heapq
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from pilotlight.corpus.document import Document
from pilotlight.corpus.function_words import are_function_words, function_words
from pilotlight.corpus.hashed_words import HashedWords, batches, chances, hash_words, mix, split_batches
from pilotlight.corpus.languages.codes import UNKNOWN
from pilotlight.corpus.languages.identify import identify
from pilotlight.corpus.pile import Pile, facts, read_split
from pilotlight.corpus.ranking import RankedRows
from pilotlight.errors import DataError
from pilotlight.randomness import stream

if TYPE_CHECKING:
    from jaxtyping import Float, Float32, Integer

BUCKETS = 1 << 15
DIRECTIONS = 256
"""Random directions: the cosine of two vectors is known to about one over their root; topics differ by tenths."""
ROUNDS = 25
_BEGINNINGS = 4
_CANDIDATES = 6
_WORK_FOR_MORE = 2_000_000
"""Clusters times points up to which k-means is begun more than once."""
_WORDS_COUNTED = 600
_MODULE = "pilotlight.corpus.clusters:"
# Vowels of Indic scripts and accents are marks, which belong to the word; scripts without spaces are left as they are.
_MARKS = "".join(
    chr(code) for code in range(0x300, 0x0E00) if unicodedata.category(chr(code)) in ("Mn", "Mc")
)  # fmt: skip
_WORD = re.compile(rf"[^\W\d_](?:[^\W\d_]|[{_MARKS}]){{2,23}}")
_TEXT_FOR_LABEL = 6000
_ASSIGNED_TOGETHER = 1 << 14
_LEAST_JUDGED = 50
"""Documents of a language from which on its usual words are known."""
_USUAL, _MOST_USUAL = 0.5, 0.8
"""Share of the documents of a language from which on a word weighs less, and from which on it weighs least."""
_LEAST_WEIGHT = 0.05
_RARE, _MOST_RARE = 0.002, 20
"""Share of the documents, and number, below which a word is too rare to tell a subject: it would only add noise."""


def _bucket(words: HashedWords) -> Integer[np.ndarray, " words"]:
    return (words.hashes % np.uint64(BUCKETS)).astype(np.int64)


def _counts(words: HashedWords) -> tuple[Any, Any, Any]:
    """Return document, bucket and count of every different word of a batch, but for function words."""
    telling = ~are_function_words(words)
    pairs, count = np.unique((words.document * BUCKETS + _bucket(words))[telling], return_counts=True)
    return pairs // BUCKETS, pairs % BUCKETS, count


def _directions() -> Float32[np.ndarray, "buckets directions"]:
    """Return a sign for every bucket and direction (Achlioptas 2003)."""
    cells = np.arange(BUCKETS * DIRECTIONS // 64, dtype=np.uint64)
    bits = np.unpackbits(mix(cells + np.uint64(1)).astype("<u8").view(np.uint8))
    return (bits.astype(np.float32) * 2 - 1).reshape(BUCKETS, DIRECTIONS)


def vectors(words: HashedWords, rarity: Float[np.ndarray, " buckets"]) -> Float32[np.ndarray, "documents directions"]:
    """Return the unit vectors of a batch of documents; all zero where no word says anything."""
    document, bucket, count = _counts(words)
    weight = ((1 + np.log(count)) * rarity[bucket]).astype(np.float32)
    documents = len(words.ends) - 1
    ends = np.searchsorted(document, np.arange(documents + 1))
    sparse: Any = import_module("scipy.sparse")
    found: Any = sparse.csr_array((weight, bucket, ends), shape=(documents, BUCKETS)) @ _directions()
    length = np.sqrt(np.einsum("ij,ij->i", found, found))
    return found / np.maximum(length, 1e-12)[:, None]


def count_documents(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Count in how many documents of a split each bucket is, and name the documents to learn from (a unit of work)."""
    del watch
    tables: dict[str, Any] = {}
    sizes: Counter[str] = Counter()
    ids: list[str] = []
    for batch, words in split_batches(inputs[0]):
        document, bucket, _ = _counts(words)
        languages = [str(one.facts.get("language", UNKNOWN)) for one in batch]
        sizes.update(languages)
        names = sorted(set(languages))
        place = np.array([names.index(name) for name in languages])
        counted = np.bincount(place[document] * BUCKETS + bucket, minlength=len(names) * BUCKETS)
        for name, row in zip(names, counted.reshape(len(names), BUCKETS), strict=True):
            tables[name] = tables.get(name, 0) + row
        ids += [document.id for document in batch]
    np.savez_compressed(out / "documents.npz", **{name: tables[name].astype(np.uint32) for name in sorted(tables)})
    luck = np.sort(chances(int(settings["seed"]), ids))[: int(settings["learn_from"])]
    np.save(out / "luck.npy", luck, allow_pickle=False)
    return {"documents": len(ids), "languages": dict(sorted(sizes.items()))}


def weigh_words(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write how rare each bucket is, and below which hash documents are learned from (a unit of work).

    Raises:
        DataError: there are no documents.
    """
    del watch
    total = sum(int(facts(unit)["documents"]) for unit in inputs)
    if not total:
        raise DataError("there is no document to cluster; expected text. See what the steps before have dropped.")
    table, usual = np.zeros(BUCKETS, np.int64), np.zeros(BUCKETS)
    sizes: Counter[str] = Counter()
    for unit in inputs:
        sizes.update(facts(unit)["languages"])
    for name in sorted(sizes):
        of_language = np.zeros(BUCKETS, np.int64)
        for unit in inputs:
            if name in facts(unit)["languages"]:
                with np.load(unit / "documents.npz", allow_pickle=False) as counted:
                    of_language += counted[name]
        table += of_language
        if sizes[name] >= _LEAST_JUDGED:
            usual = np.maximum(usual, of_language / sizes[name])
    # What most documents of a language have says little of their subject, whatever the other languages of the corpus
    # are; and what few documents have is heavy in them and brings hardly any two together.
    least = max(2.0, min(_MOST_RARE, _RARE * total))
    weight = np.clip((_MOST_USUAL - usual) / (_MOST_USUAL - _USUAL), _LEAST_WEIGHT, 1.0)
    rarity = weight * np.where(table >= least, np.log(total / np.maximum(table, 1)), 0.0)
    np.save(out / "rarity.npy", rarity, allow_pickle=False)
    most = int(settings["learn_from"])
    luck = np.zeros(0, np.uint64)
    for unit in inputs:
        luck = np.sort(np.concatenate([luck, np.load(unit / "luck.npy", allow_pickle=False)]))[:most]
    return {"documents": total, "limit": str(int(luck[-1])), "learned_from": len(luck)}


def _learned(split: Path, weighed: Path, seed: int) -> Iterator[Document]:
    limit = int(facts(weighed)["limit"])
    return (one for one in read_split(split) if int(chances(seed, (one.id,))[0]) <= limit)


def project_sample(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the vectors of the documents of a split that are learned from (a unit of work)."""
    del watch
    split, weighed = inputs
    rarity = np.load(weighed / "rarity.npy", allow_pickle=False)
    seed = int(settings["seed"])
    parts: list[Any] = [np.zeros((0, DIRECTIONS), np.float32)]
    luck: list[Any] = [np.zeros(0, np.uint64)]
    for batch in batches(_learned(split, weighed, seed)):
        parts.append(vectors(hash_words([one.text for one in batch]), rarity))
        luck.append(chances(seed, (one.id for one in batch)))
    np.save(out / "vectors.npy", np.concatenate(parts), allow_pickle=False)
    np.save(out / "luck.npy", np.concatenate(luck), allow_pickle=False)
    return {}


def find_centres(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the centres of the clusters (a unit of work)."""
    del watch
    points = np.concatenate([np.load(unit / "vectors.npy", allow_pickle=False) for unit in inputs])
    luck = np.concatenate([np.load(unit / "luck.npy", allow_pickle=False) for unit in inputs])
    points = points[np.argsort(luck, kind="stable")]
    points = points[np.einsum("ij,ij->i", points, points) > 0]
    if not len(points):
        raise DataError("no two documents share a word, so there are no clusters; leave out the step.")
    count = min(int(settings["clusters"]), len(points))
    farthest = settings["centres"] == "farthest"
    centres = _farthest(points, count) if farthest else _means(points, count, int(settings["seed"]))
    np.save(out / "centres.npy", centres, allow_pickle=False)
    own, near = assign(points, centres)
    return {
        "clusters": len(centres), "learned_from": len(points), "mean_distance": round(float(1 - near.mean()), 6),
        "largest_distance": round(float(1 - near.min()), 6), "occupied": len(np.unique(own)),
    }  # fmt: skip


def _farthest(points: Float32[np.ndarray, "points directions"], count: int) -> Any:
    """Return points of which each is the farthest from those before (k-centre greedy; Gonzalez 1985)."""
    chosen = [0]
    near = np.einsum("ij,j->i", points, points[0])
    for _ in range(1, count):
        chosen.append(int(np.argmin(near)))
        near = np.maximum(near, np.einsum("ij,j->i", points, points[chosen[-1]]))
    return points[chosen]


def _means(points: Float32[np.ndarray, "points directions"], count: int, seed: int) -> Any:
    """Return the centres of spherical k-means with the largest sum of cosines, of a few beginnings."""
    best: tuple[float, Any] = (-np.inf, points[:count])
    for trial in range(_BEGINNINGS if count * len(points) <= _WORK_FOR_MORE else 1):
        centres, near = _one_means(points, _first_centres(points, count, stream(seed, "clusters", trial)))
        if near > best[0]:
            best = (near, centres)
    return best[1]


def _first_centres(points: Float32[np.ndarray, "points directions"], count: int, random: np.random.Generator) -> Any:
    """Return greedy k-means++ centres (Arthur and Vassilvitskii 2007): of some candidates the one that helps most."""
    chosen = [int(random.integers(len(points)))]
    near = np.einsum("ij,j->i", points, points[chosen[0]])
    for _ in range(1, count):
        away = cast("Any", np.cumsum(np.maximum(1 - near, 0).astype(np.float64)))
        drawn: list[int] = cast("Any", np.searchsorted(away, random.random(_CANDIDATES) * away[-1])).tolist()
        options = [min(place, len(points) - 1) for place in drawn]
        nearer = [np.maximum(near, np.einsum("ij,j->i", points, points[place])) for place in options]
        best = max(range(_CANDIDATES), key=lambda option: (float(nearer[option].sum(dtype=np.float64)), -option))
        chosen.append(options[best])
        near = nearer[best]
    return points[chosen]


def _one_means(points: Float32[np.ndarray, "points directions"], centres: Any) -> tuple[Any, float]:
    before: Any = None
    near: Any = np.zeros(1)
    for _ in range(ROUNDS):
        own, near = assign(points, centres)
        if before is not None and np.array_equal(own, before):
            break
        before = own
        sums = np.zeros((len(centres), DIRECTIONS))
        np.add.at(sums, own, points.astype(np.float64))
        length = np.sqrt((sums**2).sum(axis=1))[:, None]
        moved = cast("Any", np.where(length > 1e-9, sums / np.maximum(length, 1e-9), centres))
        centres = moved.astype(np.float32)
    return centres, float(near.sum(dtype=np.float64))


def assign(
    points: Float32[np.ndarray, "points directions"], centres: Float32[np.ndarray, "clusters directions"]
) -> tuple[Integer[np.ndarray, " points"], Float32[np.ndarray, " points"]]:
    """Return the cluster of every point, and the cosine between it and the centre."""
    own: list[Any] = [np.zeros(0, np.int64)]
    near: list[Any] = [np.zeros(0, np.float32)]
    across = np.ascontiguousarray(centres.T)
    for start in range(0, len(points), _ASSIGNED_TOGETHER):
        cosine = np.zeros((len(points[start : start + _ASSIGNED_TOGETHER]), len(centres)), np.float32)
        for direction in range(DIRECTIONS):
            cosine += points[start : start + _ASSIGNED_TOGETHER, direction, None] * across[direction]
        own.append(np.argmax(cosine, axis=1))
        near.append(cosine.max(axis=1))
    return np.concatenate(own), np.concatenate(near)


def _words_for_label(document: Document) -> set[str]:
    """Return the words of a document that may tell what it is about: not those that hold its language together."""
    text = document.text[:_TEXT_FOR_LABEL]
    language = document.facts.get("language") or identify(text)[0]
    return set(_WORD.findall(text.lower())) - function_words(str(language))


def place_split(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the cluster of every document of a split and its distance from the centre (a unit of work).

    The words of documents that are learned from are counted too, for the labels.
    """
    del watch
    split, weighed, found = inputs
    rarity = np.load(weighed / "rarity.npy", allow_pickle=False)
    centres = np.load(found / "centres.npy", allow_pickle=False)
    seed, limit = int(settings["seed"]), int(facts(weighed)["limit"])
    rows = RankedRows(seed)
    labels: dict[int, Counter[str]] = {}
    keys: list[Any] = [np.zeros(0, np.uint64)]
    for batch, words in split_batches(split):
        own, near = assign(vectors(words, rarity), centres)
        distance: Any = np.where(np.diff(words.ends) > 0, np.round(1.0 - np.asarray(near, np.float64), 6), np.nan)
        rows.add(batch, distance.tolist(), [f"{cluster:04d}" for cluster in own.tolist()])
        luck = chances(seed, (one.id for one in batch))
        keys.append(luck)
        for place in np.flatnonzero(luck <= np.uint64(limit)).tolist():
            labels.setdefault(int(own[place]), Counter()).update(_words_for_label(batch[place]))
    common = {
        str(cluster): dict(heapq.nsmallest(_WORDS_COUNTED, counts.items(), key=lambda item: (-item[1], item[0])))
        for cluster, counts in sorted(labels.items())
    }
    (out / "words.json").write_text(json.dumps(common, ensure_ascii=False), encoding="utf-8")
    return rows.write(out, np.concatenate(keys) if settings["order"] == "luck" else None)


def place(pile: Pile, settings: dict[str, Any], order: str) -> list[Path]:
    """Return for every split the unit with ``RankedRows``: clusters as groups, distances from the centres as values.

    Settings: ``seed``, ``clusters``, ``centres`` (means or farthest), ``learn_from``. ``order`` is ``luck`` (rows sort
    by a hash) or ``distance``.
    """
    given = {"seed": settings["seed"], "learn_from": int(settings["learn_from"])}
    counted = pile.run("count", f"{_MODULE}count_documents", [((split,), given) for split in pile.splits])
    [weighed] = pile.run("weigh", f"{_MODULE}weigh_words", [(counted, given)])
    tasks = [((split, weighed), {"seed": settings["seed"]}) for split in pile.splits]
    sampled = pile.run("project", f"{_MODULE}project_sample", tasks)
    [found] = pile.run("centres", f"{_MODULE}find_centres", [(sampled, settings)])
    placing = {"seed": settings["seed"], "order": order}
    return pile.run("place", f"{_MODULE}place_split", [((split, weighed, found), placing) for split in pile.splits])
