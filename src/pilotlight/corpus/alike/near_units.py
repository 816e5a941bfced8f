"""Units of work that find documents that may be alike: sign each split, then join by band.

The address of a document is the number of its unit (its place among the inputs) and its row there. Addresses only say
where to find a document: what is decided depends on standing and ids (``alike.table``), never on addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.corpus.alike.bands import Bands
from pilotlight.corpus.alike.minhash import band_keys
from pilotlight.corpus.alike.pairs import PAIR, SETS, distinct
from pilotlight.corpus.alike.shingles import shingle_sets
from pilotlight.corpus.alike.table import Table, address, is_fixed, look_up
from pilotlight.corpus.partitions import read_keyed, write_keyed, write_partitions
from pilotlight.corpus.pile import read_split
from pilotlight.events import Watcher

if TYPE_CHECKING:
    from jaxtyping import Int32, Int64, UInt64

CLOSE = 4
"""Members of a large bucket with which each other member is compared: so many of the best, so many of like length."""


def sign(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write for each document of a split its row, its set of shingles, and its band keys; return documents by source."""
    del watch
    table = Table(settings["prefer"], fixed=settings["fixed"], by_length=True)

    def texts() -> Iterator[tuple[str, bool]]:
        for document in read_split(inputs[0]):
            table.add(document)
            yield document.text, document.facts.get("content") == "code"

    bands = Bands(settings["bands"], settings["rows"])
    keys: list[UInt64[np.ndarray, "texts bands"]] = []
    sizes: list[Int64[np.ndarray, " texts"]] = []
    with (out / SETS).open("wb") as file:
        for sets in shingle_sets(texts(), settings["words"]):
            file.write(sets.hashes.astype("<u4").tobytes())
            keys.append(band_keys(sets, bands))
            sizes.append(np.diff(sets.ends))
    count = sum(map(len, sizes))
    ends = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.concatenate(sizes) if sizes else [])])
    np.save(out / "ends.npy", ends.astype(np.int64), allow_pickle=False)
    every = np.concatenate(keys) if keys else np.zeros((0, bands.bands), dtype=np.uint64)
    write_keyed(out, "bands", every.ravel(), np.repeat(np.arange(count, dtype=np.uint32), bands.bands))
    return {**table.write(out), "rows": count * bands.bands}


def join(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write the pairs of documents that share a key of one partition, by the split of the one that would go."""
    del watch
    found = [
        (keys, address(number, rows))
        for number, (keys, rows) in enumerate(
            read_keyed(inputs, "bands", settings["partition"], settings["partitions"])
        )
    ]
    keys = np.concatenate([keys for keys, _ in found])
    places = np.concatenate([places for _, places in found])
    del found
    order = np.argsort(keys)
    keys = keys[order]
    again = np.zeros(len(keys) + 1, dtype=bool)
    np.equal(keys[1:], keys[:-1], out=again[1:-1])
    shared = again[1:] | again[:-1]
    keys, places = keys[shared], places[order[shared]]
    standing, ids = look_up(inputs, places, ("standing", "id"))
    order = np.lexsort((ids, standing, keys))
    keys, places, standing, ids = keys[order], places[order], standing[order], ids[order]
    pairs, largest = _pairs(keys, standing, ids)
    better, worse = pairs.min(axis=1), pairs.max(axis=1)  # rows are in the order of standing within a bucket
    open_ = ~is_fixed(standing[worse])
    made = np.zeros(int(open_.sum()), dtype=PAIR)
    made["worse"], made["better"] = places[worse[open_]], places[better[open_]]
    made = distinct(made)
    write_partitions(out, "pairs", made, (made["worse"] >> np.uint64(32)).astype(np.int64), len(inputs))
    return {"pairs": len(made), "largest": largest}


def _pairs(
    keys: UInt64[np.ndarray, " rows"], standing: UInt64[np.ndarray, " rows"], ids: UInt64[np.ndarray, " rows"]
) -> tuple[Int32[np.ndarray, "pairs 2"], int]:
    """Return the rows to compare, given in the order of key, standing and id; and the size of the largest bucket.

    In a small bucket everything is compared with everything. In a large one each row is compared with the best rows
    and, whatever its source, with those next to it in length: as near duplicates are of like length, few are missed.
    """
    starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1])[: len(keys)])
    sizes = np.diff(np.append(starts, len(keys)))
    size = np.repeat(sizes, sizes)
    place = np.arange(len(keys)) - np.repeat(starts, sizes)
    small = size <= 2 * CLOSE
    found = [np.zeros((0, 2), dtype=np.int32)]
    for back in range(1, 2 * CLOSE):
        members = np.flatnonzero(small & (place >= back)).astype(np.int32)
        found.append(np.stack([members - np.int32(back), members], axis=1))
    large = np.flatnonzero(~small).astype(np.int32)
    if len(large):
        length = standing[large] & np.uint64((1 << 40) - 1)
        order = large[np.lexsort((ids[large], standing[large], length, keys[large]))]
        rank = place[large]  # buckets stay where they are: ranks are counted alike in both orders
        for back in range(1, CLOSE + 1):
            members = np.flatnonzero(rank >= back)
            found.append(np.stack([order[members - back], order[members]], axis=1))
            best = large[members] - rank[members].astype(np.int32) + np.int32(back - 1)
            found.append(np.stack([best, large[members]], axis=1))
    return np.concatenate(found), int(sizes.max(initial=0))
