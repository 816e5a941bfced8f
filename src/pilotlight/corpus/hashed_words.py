"""Words and their n-grams as hashes, for many documents at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import xxhash

from pilotlight.corpus.document import Document
from pilotlight.corpus.pile import read_split

if TYPE_CHECKING:
    from jaxtyping import Bool, Integer, UInt8, UInt64

_BLOCK = 1 << 17
"""Bytes hashed together: the tables of powers for them stay in the cache of the processor."""
_BATCH = 1 << 20
_BASE = 0x9E3779B97F4A7C15
_WRAP = (1 << 64) - 1


@final
@dataclass(frozen=True, slots=True)
class HashedWords:
    """The words of a batch of documents, one after another.

    A word is a run of letters and digits in lower case; in scripts that put no space between words it is one
    character (Han, Kana, Thai, Lao, Khmer, Burmese).
    """

    hashes: UInt64[np.ndarray, " words"]
    sizes: Integer[np.ndarray, " words"]
    """Bytes of each word."""
    ends: Integer[np.ndarray, " documents+1"]
    """Where the words of each document begin, and the end of the last."""

    @property
    def document(self) -> Integer[np.ndarray, " words"]:
        """Number of the document that each word stands in."""
        return np.repeat(np.arange(len(self.ends) - 1), np.diff(self.ends))

    def sums(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return the sum of ``values`` (one for each word) over each document."""
        return np.bincount(self.document, weights=values, minlength=len(self.ends) - 1)

    def place(self) -> Integer[np.ndarray, " words"]:
        """Return which word of its document each is, from 0."""
        return np.arange(len(self.hashes)) - np.repeat(self.ends[:-1], np.diff(self.ends))


def mix(values: UInt64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
    """Return numbers in which every bit depends on every bit of ``values`` (finaliser of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def follow(before: UInt64[np.ndarray, " rows"], word: UInt64[np.ndarray, " rows"]) -> UInt64[np.ndarray, " rows"]:
    """Return the hash of an n-gram from the hash of what stands before its last word, and that word."""
    joined = before * np.uint64(0xD6E8FEB86659FD93) + word
    return (joined ^ (joined >> np.uint64(32))) * np.uint64(0x9FB21C651E98DF25)


def n_grams(words: HashedWords, most: int) -> list[UInt64[np.ndarray, " words"]]:
    """Return for n = 1 to ``most`` the hash of the n words that end at each word.

    The first n - 1 words of a document have no n-gram; what stands there has no meaning.
    """
    found = [words.hashes]
    for _ in range(1, most):
        before = np.concatenate([np.zeros(1, np.uint64), found[-1][:-1]]) if len(words.hashes) else found[-1]
        found.append(follow(before, words.hashes))
    return found


@cache
def _powers() -> tuple[UInt64[np.ndarray, " bytes"], UInt64[np.ndarray, " bytes"]]:
    inverse = pow(_BASE, -1, 1 << 64)
    both: list[Any] = []
    for factor in (_BASE, inverse):
        steps = np.full(_BLOCK + 1, factor, np.uint64)
        steps[0] = 1
        both.append(np.multiply.accumulate(steps))
    return both[0], both[1]


@cache
def _byte_values() -> UInt64[np.ndarray, " 256"]:
    return mix(np.arange(1, 257, dtype=np.uint64) * np.uint64(_BASE))


@cache
def _is_word() -> Bool[np.ndarray, " 256"]:
    table = np.zeros(256, bool)
    for low, high in ((0x30, 0x3A), (0x41, 0x5B), (0x61, 0x7B), (0x80, 0x100)):
        table[low:high] = True
    return table


def _unspaced(data: UInt8[np.ndarray, " bytes"]) -> list[tuple[Integer[np.ndarray, " places"], int]]:
    """Return where characters of scripts without spaces begin, with their number of bytes."""
    following = np.concatenate([data[1:], np.zeros(1, np.uint8)])
    thai = (data == 0xE0) & (following >= 0xB8) & (following <= 0xBB)
    burmese = (data == 0xE1) & (((following >= 0x80) & (following <= 0x82)) | (following == 0x9E) | (following == 0x9F))
    han = (data >= 0xE3) & (data <= 0xE9)
    return [(np.flatnonzero(thai | burmese | han), 3), (np.flatnonzero(data == 0xF0), 4)]


def _bounds(
    data: UInt8[np.ndarray, " bytes"],
) -> tuple[Integer[np.ndarray, " words"], Integer[np.ndarray, " words"]]:
    """Return where words begin and end in UTF-8."""
    word = np.zeros(len(data) + 2, bool)
    inside = word[1:-1]
    inside[:] = _is_word()[data]
    fresh = np.zeros(len(data) + 1, bool)
    if len(data) and int(data.max()) >= 0x80:
        # U+0080 to U+00BF and U+2000 to U+2FFF hold signs, U+3000 to U+303F the marks of East Asian writing.
        following = np.concatenate([data[1:], np.zeros(1, np.uint8)])
        signs = np.flatnonzero((data == 0xE2) | ((data == 0xE3) & (following == 0x80)))
        latin = np.flatnonzero(data == 0xC2)
        for places in (signs, signs + 1, signs + 2, latin, latin + 1):
            inside[places[places < len(data)]] = False
        for places, length in _unspaced(data):
            fresh[places] = True
            fresh[np.minimum(places + length, len(data))] = True
    starts = np.flatnonzero(inside & (~word[:-2] | fresh[:-1]))
    ends = np.flatnonzero(word[:-1] & (~word[1:] | fresh))
    return starts, ends


def _hash_spans(
    data: UInt8[np.ndarray, " bytes"], starts: Integer[np.ndarray, " words"], ends: Integer[np.ndarray, " words"]
) -> UInt64[np.ndarray, " words"]:
    """Return a polynomial hash of each span, by differences of running sums (spans do not overlap)."""
    power, inverse = _powers()
    found: list[Any] = []
    word = 0
    while word < len(starts):
        base = int(starts[word])
        last = max(word + 1, int(np.searchsorted(ends, base + _BLOCK, side="right")))
        stop = min(int(ends[last - 1]), base + _BLOCK)
        sums = np.zeros(stop - base + 1, np.uint64)
        np.cumsum(_byte_values()[data[base:stop]] * power[: stop - base], out=sums[1:])
        first = starts[word:last] - base
        end = np.minimum(ends[word:last], stop) - base
        found.append((sums[end] - sums[first]) * inverse[first])
        word = last
    return mix(np.concatenate(found)) if found else np.zeros(0, np.uint64)


def hash_words(texts: Sequence[str]) -> HashedWords:
    """Return the words of ``texts`` as hashes of 64 bits; of a word beyond 128 kB the beginning counts."""
    parts = [text.lower().encode("utf-8", "replace") for text in texts]
    data = np.frombuffer(b"\n".join(parts), np.uint8)
    starts, ends = _bounds(data)
    sizes = np.fromiter((len(part) + 1 for part in parts), np.int64, len(parts))
    where = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
    return HashedWords(_hash_spans(data, starts, ends), ends - starts, np.searchsorted(starts, where))


def batches(documents: Iterable[Document], most: int = _BATCH) -> Iterator[list[Document]]:
    """Return documents in lists of about ``most`` characters."""
    batch: list[Document] = []
    size = 0
    for document in documents:
        batch.append(document)
        size += len(document.text)
        if size >= most:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def split_batches(split: Path) -> Iterator[tuple[list[Document], HashedWords]]:
    """Return the documents of a split in batches, each with its words."""
    for batch in batches(read_split(split)):
        yield batch, hash_words([document.text for document in batch])


def keyed(seed: int, *names: str) -> int:
    """Return 64 bits that look random and depend on the seed and the names only."""
    return xxhash.xxh3_64_intdigest("\0".join(names).encode("utf-8", "surrogateescape"), seed=seed & _WRAP)


def chances(seed: int, ids: Iterable[str]) -> UInt64[np.ndarray, " documents"]:
    """Return ``keyed`` for each id."""
    return np.fromiter((keyed(seed, id) for id in ids), np.uint64)
