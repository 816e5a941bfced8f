"""The work behind the step ``sample``: strata, twins that stay together, and who is in.

Documents of a stratum stand in the order of a hash of (seed, cluster), where documents that repeat each other are one
cluster, and the first of them are taken. So a sample holds the clusters that it holds whole: a text that comes three
times in the corpus comes three times in the sample, or not at all, and the sample repeats itself as the corpus does.

How many are taken follows from one number t for all: a cluster is in if ``(bytes before it + u * its bytes) / bytes of
its stratum < t``. The u are spread evenly over neighbouring strata, so that rounding errors cancel, and no stratum is
too small to have its chance. The order this gives is then put through the same rule with coarser and coarser groups
(source and language, then source), so that what cannot be exact in each stratum is as exact as it can be in each
source. As t grows with the share, a smaller sample lies inside every larger one; allocation by largest remainders,
which rounds equally well, does not have this property (the Alabama paradox).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.corpus.certificate import certify, replicate_counts
from pilotlight.corpus.document import Document
from pilotlight.corpus.hashed_words import HashedWords, batches, hash_words, keyed, mix, n_grams, split_batches
from pilotlight.corpus.pile import Decision, read_split, write_decisions
from pilotlight.corpus.ranking import (
    CUTS,
    HIGHEST_KEY,
    IDS,
    RankedRows,
    RankedUnits,
    Sized,
    attribute,
    kept_rows,
    pointer,
    rows_of,
)
from pilotlight.corpus.sameness import text_key
from pilotlight.errors import DataError

if TYPE_CHECKING:
    from jaxtyping import Float, Integer, UInt64

TWINS = "twins.npy"
COUNTS = "counts.npy"
SAMPLED = "sampled.npy"
SHINGLE = 5
"""Words of a shingle."""
EXACT_UP_TO = 4_000_000
"""Documents up to which t is chosen so that the whole sample has the wanted bytes; beyond, t is the share itself."""
_GOLDEN = 0.6180339887498949
_LARGEST = np.uint64((1 << 64) - 1)


def near_keys(words: HashedWords, exact: UInt64[np.ndarray, " documents"]) -> UInt64[np.ndarray, " documents"]:
    """Return a key that two texts share with a chance of the square of their similarity (Jaccard, of shingles).

    It is two values of MinHash in one, so nothing has to be compared: pairs that are 90 % alike stay together in 81 of
    100 cases, unrelated texts never. Texts without a shingle have the key of their exact text.
    """
    count = len(words.ends) - 1
    shingles = n_grams(words, SHINGLE)[-1]
    none = words.place() < SHINGLE - 1
    found = np.full(count, 0, np.uint64)
    there = np.diff(words.ends) >= SHINGLE
    for salt in (0x51ED2701, 0xA24BAED4):
        values = mix(shingles ^ np.uint64(salt))
        values[none] = _LARGEST
        if there.any():
            # Documents without words lie between the others, and reduceat would give them their neighbour's value.
            found[there] = mix(found[there] ^ np.minimum.reduceat(values, words.ends[:-1][there]))
    return np.where(there, found, exact)


def _twins(batch: Sequence[Document], words: HashedWords) -> UInt64[np.ndarray, "2 documents"]:
    exact = np.fromiter((text_key(document.text) & ((1 << 64) - 1) for document in batch), np.uint64, len(batch))
    return np.stack([exact, near_keys(words, exact)])


def measure(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write stratum, cluster and place in the order of every document of a split, and its words (a unit of work)."""
    del watch
    seed, together, by = int(settings["seed"]), settings["together"], settings["by"]
    rows = RankedRows(seed)
    keys: list[Any] = [np.zeros(0, np.uint64)]
    twins: list[Any] = [np.zeros((2, 0), np.uint64)]
    counts = replicate_counts()
    for batch, words in split_batches(inputs[0]):
        twins.append(_twins(batch, words))
        if together in ("exact", "near"):
            cluster = twins[-1][("exact", "near").index(together)]
        else:
            names = (str(one.facts.get("group") or one.id) if together == "group" else one.id for one in batch)
            cluster = np.fromiter((keyed(0, name) for name in names), np.uint64, len(batch))
        keys.append(mix(cluster ^ np.uint64(keyed(seed, "sample"))))
        strata = [json.dumps([attribute(one, name) for name in by], ensure_ascii=False) for one in batch]
        rows.add([Sized(one.id, one.source, one.bytes, {}) for one in batch], (0.0,) * len(batch), strata)
        counts.add(words, keys[-1], float(settings["share"]))
    np.save(out / TWINS, np.concatenate(twins, axis=1), allow_pickle=False)
    np.save(out / COUNTS, counts.table, allow_pickle=False)
    return rows.write(out, np.concatenate(keys))


def choose_share(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write up to which key the documents of every stratum are in the sample (a unit of work).

    Raises:
        DataError: there are no documents.
    """
    del watch
    ranked = RankedUnits.open(inputs)
    totals = ranked.totals("bytes")
    if not len(totals):
        raise DataError("there is no document to sample from; expected text. See what the steps before have dropped.")
    share = float(settings["share"])
    seed = int(settings["seed"])
    if sum(len(rows) for rows in ranked) <= EXACT_UP_TO:
        high = _exact_cuts(ranked, totals, share, seed)
    else:
        high = ranked.cut(totals * share, _offsets(len(totals), seed), "bytes")
    cuts = {"groups": ranked.groups, "sources": ranked.sources, "low": [0] * len(high), "high": high}
    (out / CUTS).write_text(json.dumps(cuts), encoding="utf-8")
    return {"strata": len(high)}


def _exact_cuts(ranked: RankedUnits, totals: Float[np.ndarray, " strata"], share: float, seed: int) -> list[int]:
    """Return the cuts for the t with which the whole sample has the wanted bytes, to within one cluster."""
    rows = np.concatenate([one[["key", "bytes", "group"]] for one in ranked])
    rows = rows[np.lexsort((rows["key"], rows["group"]))]
    fresh = np.ones(len(rows), bool)
    fresh[1:] = (rows["key"][1:] != rows["key"][:-1]) | (rows["group"][1:] != rows["group"][:-1])
    first = np.flatnonzero(fresh)
    size = np.add.reduceat(rows["bytes"], first).astype(np.float64)
    key, stratum = rows["key"][first], rows["group"][first]
    order = np.arange(len(size))
    priority = np.zeros(len(size))
    for group in _levels(ranked.groups):
        order, priority = _advance(order, size, group[stratum], seed)
    order = order[np.lexsort((key[order], stratum[order], priority[order]))]
    reached = np.cumsum(size[order]) - size[order] / 2
    inside = order[reached <= share * totals.sum()] if share < 1 else order
    high = np.zeros(len(totals), np.uint64)
    np.maximum.at(high, stratum[inside], key[inside] + np.uint64(1))
    return [int(value) for value in np.minimum(high, np.uint64(HIGHEST_KEY + 1))]


def _levels(strata: Sequence[str]) -> list[Integer[np.ndarray, " strata"]]:
    """Return for each stratum its group by all axes, by all but the last, and so on to the first."""
    names = [json.loads(stratum) for stratum in strata]
    found: list[Any] = []
    for axes in range(len(names[0]), 0, -1):
        number = {name: place for place, name in enumerate(sorted({tuple(name[:axes]) for name in names}))}
        found.append(np.array([number[tuple(name[:axes])] for name in names]))
    return found


def _advance(
    order: Integer[np.ndarray, " clusters"],
    size: Float[np.ndarray, " clusters"],
    group: Integer[np.ndarray, " clusters"],
    seed: int,
) -> tuple[Integer[np.ndarray, " clusters"], Float[np.ndarray, " clusters"]]:
    """Return the order of clusters by the share of its group that is reached when a cluster comes in, and that share.

    Within a group clusters come in the ``order`` given.
    """
    lined = order[np.argsort(group[order], kind="stable")]
    own = group[lined]
    total = np.bincount(group, weights=size)
    begins = np.concatenate([np.zeros(1), np.cumsum(total)[:-1]])
    before = np.cumsum(size[lined]) - size[lined] - begins[own]
    priority = np.zeros(len(size))
    priority[lined] = (before + _offsets(len(total), seed)[own] * size[lined]) / total[own]
    return lined[np.argsort(priority[lined], kind="stable")], priority


def _offsets(count: int, seed: int) -> Float[np.ndarray, " groups"]:
    """Return numbers from 0 to 1 of which neighbours differ widely and any run of them is spread evenly."""
    return np.mod(0.5 + _GOLDEN * np.arange(count) + keyed(seed, "offset") / 2.0**64, 1.0)


def count_sample(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Count the words of the documents of a split that are in the sample (a unit of work)."""
    del settings, watch
    split, unit, chosen = inputs
    cuts = json.loads((chosen / CUTS).read_text(encoding="utf-8"))
    kept = kept_rows(rows_of(unit, cuts["groups"], cuts["sources"]), cuts, keep_missing=False)
    counts = replicate_counts()
    sampled = (document for document, keep in zip(read_split(split), kept.tolist(), strict=True) if keep)
    for batch in batches(sampled):
        counts.add_all(hash_words([document.text for document in batch]))
    np.save(out / SAMPLED, counts.table[0], allow_pickle=False)
    return {"sampled": int(kept.sum())}


def write_certificate(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Return how well the sample stands for the whole, as facts (a unit of work)."""
    del watch
    chosen, *rest = inputs
    half = len(rest) // 2
    cuts = json.loads((chosen / CUTS).read_text(encoding="utf-8"))
    found = certify(rest[:half], rest[half:], cuts, settings)
    (out / "certificate.json").write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
    return found


def choose(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the decisions on one split (a unit of work)."""
    del settings, watch
    unit, chosen, certificate = inputs
    cuts = json.loads((chosen / CUTS).read_text(encoding="utf-8"))
    kept = kept_rows(rows_of(unit, cuts["groups"], cuts["sources"]), cuts, keep_missing=False).tolist()
    ids = (unit / IDS).read_text(encoding="utf-8").splitlines()
    write_decisions(out, [Decision(id, drop="not sampled") for id, keep in zip(ids, kept, strict=True) if not keep])
    return pointer(certificate)
