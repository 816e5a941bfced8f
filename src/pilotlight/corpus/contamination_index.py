"""The n-grams of benchmark items as a sorted table, and what they say about the words of a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from pilotlight.corpus.benchmark_items import Item, read_items
from pilotlight.corpus.folded_text import folded
from pilotlight.corpus.hashed_words import HashedWords, hash_words, n_grams
from pilotlight.corpus.store import Rows, rows

if TYPE_CHECKING:
    from jaxtyping import Bool, Integer, UInt64

LONG, SHORT, LEAST = 13, 8, 5
"""Words of an n-gram in long texts (Brown et al. 2020) and in short ones, and of the shortest text looked for."""
MOST_ITEMS = 200
"""An n-gram of more items than this is not looked for: a prompt or template that all items begin with."""
_TOGETHER = 20_000
_ARRAYS = ("grams", "first", "postings", "sequences", "tails")
SEQUENCE = np.dtype([("item", "<u4"), ("n", "<u2"), ("length", "<u4")])
POSTING = np.dtype([("sequence", "<u4"), ("end", "<u4")])


@final
@dataclass(frozen=True, slots=True)
class Index:
    """What to look for in documents: the sorted hashes of n-grams, and where each stands in the benchmarks.

    The set is exact but for two n-grams with the same hash of 64 bits.
    """

    grams: UInt64[np.ndarray, " grams"]
    first: Integer[np.ndarray, " grams+1"]
    """Where the postings of each n-gram begin, and the end of the last."""
    postings: np.ndarray[Any, Any]
    sequences: np.ndarray[Any, Any]
    """Item, n and number of words of each text that is looked for."""
    sizes: Integer[np.ndarray, " sizes"]
    """The n that occur."""
    likely: Bool[np.ndarray, " buckets"]
    """Whether any n-gram has these highest bits."""
    tails: Bool[np.ndarray, " buckets"]
    """The same for the last words of the n-grams: a quick no for most words of a document, whatever n."""

    def find(self, hashes: UInt64[np.ndarray, " words"], places: Integer[np.ndarray, " places"]) -> tuple[Any, Any]:
        """Return those of ``places`` in ``hashes`` that hold an n-gram of a benchmark, and the number of it."""
        places = places[_in(self.likely, hashes[places])]
        wanted = hashes[places]
        found = np.searchsorted(self.grams, wanted)
        found[found == len(self.grams)] = 0
        same = self.grams[found] == wanted
        return places[same], found[same]

    def hits(self, words: HashedWords) -> tuple[Any, Any]:
        """Return the number of the last word and of the n-gram for each n-gram of a benchmark in the documents."""
        if not len(self.grams) or not len(words.hashes):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        place = words.place()
        grams = n_grams(words, int(self.sizes[-1]))
        candidates = np.flatnonzero(_in(self.tails, grams[LEAST - 1]))
        places: list[Any] = []
        numbers: list[Any] = []
        sizes: list[int] = self.sizes.tolist()
        for n in sizes:
            where, found = self.find(sized(grams[n - 1], n), candidates[place[candidates] >= n - 1])
            places.append(where)
            numbers.append(found)
        return np.concatenate(places), np.concatenate(numbers)


def _buckets(hashes: UInt64[np.ndarray, " grams"]) -> Bool[np.ndarray, " buckets"]:
    bits = max(12, min(27, (8 * len(hashes)).bit_length()))
    table = np.zeros(1 << bits, bool)
    table[hashes >> np.uint64(64 - bits)] = True
    return table


def _in(table: Bool[np.ndarray, " buckets"], hashes: UInt64[np.ndarray, " words"]) -> Bool[np.ndarray, " words"]:
    return table[hashes >> np.uint64(64 - (len(table).bit_length() - 1))]


def sized(hashes: UInt64[np.ndarray, " words"], n: int) -> UInt64[np.ndarray, " words"]:
    """Return hashes that differ for n-grams of different n."""
    return hashes ^ np.uint64(n * 0x9E3779B97F4A7C15 & (1 << 64) - 1)


def _texts(item: Item, lengths: Sequence[int]) -> list[str]:
    """Return the texts of an item to look for; ``lengths`` are the words of its main texts."""
    long = [text for text, words in zip(item.main, lengths, strict=True) if words >= SHORT]
    if not long:
        together = "\n".join(item.main)
        long = [together]
        if sum(lengths) < SHORT:
            long = ["\n".join((together, answer)) for answer in item.answers or ("",)]
    return [*long, *(text for text in dict.fromkeys((*item.answers, *item.choices)) if len(text) > 4 * LONG)]


def _gram_size(length: int, main: bool) -> int:
    """Return the n for a text of so many words; 0: too short to be told from other texts."""
    if length >= 2 * LONG or (not main and length >= LONG):
        return LONG
    if not main or length < LEAST:
        return 0
    return min(length, SHORT)


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == _TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


@final
class _Builder:
    """Gathers the n-grams of items."""

    def __init__(self) -> None:
        self.hashes: list[Any] = []
        self.postings: list[Any] = []
        self.tails: list[Any] = []
        self.sequences: list[tuple[int, int, int]] = []

    def add(self, items: Sequence[Item], first: int) -> None:
        """Add items, of which the first has the number ``first``."""
        main = hash_words([folded(text) for item in items for text in item.main])
        lengths = np.diff(main.ends).tolist()
        texts: list[str] = []
        owners: list[tuple[int, bool]] = []
        at = 0
        for number, item in enumerate(items, first):
            own = lengths[at : at + len(item.main)]
            at += len(item.main)
            found = _texts(item, own)
            others = sum(1 for text in found if text in item.answers or text in item.choices)
            texts += [folded(text) for text in found]
            owners += [(number, place < len(found) - others) for place in range(len(found))]
        words = hash_words(texts)
        grams = n_grams(words, LONG)
        for place, (number, is_main) in enumerate(owners):
            start, stop = int(words.ends[place]), int(words.ends[place + 1])
            n = _gram_size(stop - start, is_main)
            if not n:
                continue
            ends = np.arange(n - 1, stop - start)
            posting = np.empty(len(ends), POSTING)
            posting["sequence"], posting["end"] = len(self.sequences), ends
            self.sequences.append((number, n, stop - start))
            self.hashes.append(sized(grams[n - 1][start + n - 1 : stop], n))
            self.postings.append(posting)
            self.tails.append(grams[LEAST - 1][start + n - 1 : stop])

    def save(self, out: Path) -> dict[str, Any]:
        """Write the table into ``out`` and return its size."""
        hashes = np.concatenate([np.zeros(0, np.uint64), *self.hashes])
        postings = np.concatenate([np.zeros(0, POSTING), *self.postings])
        order = np.argsort(hashes, kind="stable")
        hashes, postings = hashes[order], postings[order]
        grams, counts = np.unique(hashes, return_counts=True)
        wanted = np.repeat(counts <= MOST_ITEMS, counts)
        grams, counts = np.unique(hashes[wanted], return_counts=True)
        first = np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
        sequences = np.array(self.sequences, SEQUENCE)
        tails = np.unique(np.concatenate([np.zeros(0, np.uint64), *self.tails]))
        arrays = (grams, first, postings[wanted], sequences, tails)
        for name, array in zip(_ARRAYS, arrays, strict=True):
            np.save(out / f"{name}.npy", array, allow_pickle=False)
        return {"n-grams": len(grams), "texts": len(sequences)}


def index(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the table of n-grams of the benchmark files ``settings["files"]`` (path, name, digest), and the items."""
    del inputs, watch
    builder = _Builder()
    counts: dict[str, int] = {}
    total = 0
    with Rows(out / "items.jsonl.zst", level=3) as file:
        every = (
            item for path, name, _ in settings["files"] for item in read_items(Path(path), name, settings["fields"])
        )
        for batch in _batches(every):
            for item in batch:
                file.write({"file": item.file, "number": item.number})
                counts[item.file] = counts.get(item.file, 0) + 1
            builder.add(batch, total)
            total += len(batch)
    return {"items": total, "files": counts, **builder.save(out)}


@lru_cache(maxsize=1)
def load_index(unit: Path) -> Index:
    """Return the table that ``index`` wrote."""
    # Mapped, so that the pages are shared by the processes of a machine, and most of the postings are never read.
    arrays = [np.load(unit / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _ARRAYS]
    grams, first, postings, sequences, tails = arrays
    sizes = np.unique(sequences["n"]).astype(np.int64)
    return Index(grams, first, postings, sequences, sizes, _buckets(grams), _buckets(tails))


def item_names(unit: Path) -> list[tuple[str, int]]:
    """Return the file and number of every item, in order."""
    return [(row["file"], row["number"]) for row in rows(unit / "items.jsonl.zst")]
