"""Units of work that measure how alike two documents are, on their whole sets of shingles."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, final

import numpy as np

from pilotlight.corpus.alike.words import mixed
from pilotlight.corpus.partitions import read_partition
from pilotlight.events import Watcher

if TYPE_CHECKING:
    from jaxtyping import Int64, UInt64

SETS = "sets.u32"
"""Shingles of all documents of a split, one set after the other."""

PAIR = np.dtype([("worse", "<u8"), ("better", "<u8")])
EDGE = np.dtype([("worse", "<u8"), ("better", "<u8"), ("similarity", "<f8"), ("contained", "<f8")])
_TOGETHER = 1 << 20
_STEP = 0x9E3779B97F4A7C15


@final
class Shelf:
    """Sets of shingles, read from the files of units when they are needed; a context manager."""

    def __init__(self, units: Sequence[Path]) -> None:
        self._units = units
        self._files: dict[int, int] = {}

    def read(self, places: UInt64[np.ndarray, " sets"], bounds: Int64[np.ndarray, "sets 2"]) -> list[Any]:
        """Return the sets of documents, given by address and by where in the file of their unit they lie."""
        known: dict[int, Any] = {}
        found: list[Any] = []
        for place, (begin, end) in zip(places.tolist(), bounds.tolist(), strict=True):
            if place not in known:
                data = os.pread(self._file(place >> 32), 4 * (end - begin), 4 * begin)
                known[place] = np.frombuffer(data, dtype="<u4")
            found.append(known[place])
        return found

    def _file(self, number: int) -> int:
        if number not in self._files:
            if len(self._files) >= 64:
                os.close(self._files.pop(next(iter(self._files))))
            self._files[number] = os.open(self._units[number] / SETS, os.O_RDONLY)
        return self._files[number]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in self._files.values():
            os.close(file)


def distinct(pairs: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the different pairs in the order of the document that would go, found by a 64-bit hash of each."""
    marks = mixed(pairs["worse"] * np.uint64(_STEP) + pairs["better"])
    order = np.argsort(marks)
    marks = marks[order]
    pairs = pairs[order[np.append(True, marks[1:] != marks[:-1])[: len(marks)]]]
    return pairs[np.argsort(pairs["worse"], kind="stable")]


def verify(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write the pairs of one split that are alike, with their Jaccard similarity and the share contained."""
    del watch
    signed, joined = inputs[: settings["signed"]], inputs[settings["signed"] :]
    pairs = distinct(read_partition(joined, "pairs", settings["split"]))
    worse, better = _bounds(signed, pairs["worse"]), _bounds(signed, pairs["better"])
    least = settings["similarity"]
    contained = settings["containment"] if settings["containment"] is not None else 2.0
    small, large = np.sort(np.stack([np.diff(worse)[:, 0], np.diff(better)[:, 0]]), axis=0)
    possible = np.flatnonzero((small >= least * large) | (contained <= 1.0))
    kept: list[np.ndarray[Any, Any]] = [np.zeros(0, dtype=EDGE)]
    with Shelf(signed) as shelf:
        for chosen in _batches(possible, (np.diff(worse) + np.diff(better))[:, 0]):
            places = np.concatenate([pairs["worse"][chosen], pairs["better"][chosen]])
            sets = shelf.read(places, np.concatenate([worse[chosen], better[chosen]]))
            left, right = sets[: len(chosen)], sets[len(chosen) :]
            common = shared(left, right)
            sizes = np.array([list(map(len, left)), list(map(len, right))])
            edges = np.zeros(len(chosen), dtype=EDGE)
            edges["worse"], edges["better"] = pairs["worse"][chosen], pairs["better"][chosen]
            edges["similarity"] = common / (sizes.sum(axis=0) - common)
            edges["contained"] = common / sizes[0]
            kept.append(edges[(edges["similarity"] >= least) | (edges["contained"] >= contained)])
    edges = np.concatenate(kept)
    np.save(out / "edges.npy", edges, allow_pickle=False)
    return {"pairs": len(pairs), "compared": len(possible), "alike": len(edges)}


def _bounds(signed: Sequence[Path], places: UInt64[np.ndarray, " pairs"]) -> Int64[np.ndarray, "pairs 2"]:
    """Return where the sets of documents begin and end in the files of their units."""
    found = np.zeros((len(places), 2), dtype=np.int64)
    numbers, rows = (places >> np.uint64(32)).astype(np.int64), (places & np.uint64(0xFFFFFFFF)).astype(np.int64)
    for number in map(int, np.unique(numbers)):
        here = np.flatnonzero(numbers == number)
        # One file at a time: there may be more splits than a process may have open.
        ends = np.load(signed[number] / "ends.npy", mmap_mode="r", allow_pickle=False)
        found[here, 0], found[here, 1] = ends[rows[here]], ends[rows[here] + 1]
    return found


def _batches(chosen: Int64[np.ndarray, " pairs"], sizes: Int64[np.ndarray, " all"]) -> Iterator[Any]:
    """Return the chosen pairs in batches whose sets fit into memory."""
    if len(chosen):
        total = np.cumsum(sizes[chosen]) // _TOGETHER
        yield from np.split(chosen, np.flatnonzero(np.diff(total)) + 1)


def shared(left: Sequence[Any], right: Sequence[Any]) -> Int64[np.ndarray, " pairs"]:
    """Return how many elements the sets of each pair share; sets are sorted."""

    def keys(sets: Sequence[Any]) -> UInt64[np.ndarray, " elements"]:
        numbers = np.repeat(np.arange(len(sets), dtype=np.uint64), list(map(len, sets)))
        return (numbers << np.uint64(32)) | np.concatenate(sets).astype(np.uint64)

    both = np.concatenate([keys(left), keys(right)])
    both.sort(kind="stable")  # two sorted runs: merged in one pass
    return np.bincount((both[1:][both[1:] == both[:-1]] >> np.uint64(32)).astype(np.int64), minlength=len(left))
