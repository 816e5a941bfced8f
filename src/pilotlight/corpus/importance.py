"""Importance resampling: how much more likely a text is under a target than under the corpus.

Xie et al. 2023, "Data Selection for Language Models via Importance Resampling" (DSIR): bags of hashed words and pairs
of words, two multinomials, and the largest of log importance plus Gumbel noise, which is sampling without
replacement with probability proportional to importance.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.corpus.document import Document
from pilotlight.corpus.hashed_words import HashedWords, chances, hash_words, n_grams, split_batches
from pilotlight.corpus.pile import facts
from pilotlight.corpus.ranking import RankedRows
from pilotlight.errors import DataError

if TYPE_CHECKING:
    from jaxtyping import Float, Integer

COUNTS = "counts.npy"
RATIO = "ratio.npy"


def features(words: HashedWords, buckets: int) -> tuple[Integer[np.ndarray, " words"], Integer[np.ndarray, " words"]]:
    """Return the bucket of each word and of the pair that ends at it; ``buckets``, an extra one, where there is none."""
    one, two = n_grams(words, 2)
    many = np.uint64(buckets)
    pairs = (two % many).astype(np.int64)
    pairs[words.place() == 0] = buckets
    return (one % many).astype(np.int64), pairs


def counts(words: HashedWords, buckets: int) -> Integer[np.ndarray, " buckets"]:
    """Return how many features fall into each bucket."""
    return sum(np.bincount(part, minlength=buckets + 1)[:buckets] for part in features(words, buckets))  # type: ignore[return-value]


def count_split(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Count the features of a split, and of what in it comes from the source ``target`` (a unit of work)."""
    del watch
    buckets, target = int(settings["buckets"]), settings["target"]
    found = np.zeros((2, buckets), np.int64)
    seen = 0
    sources: set[str] = set()
    for batch, words in split_batches(inputs[0]):
        sources.update(document.source for document in batch)
        found[0] += counts(words, buckets)
        chosen = [document.text for document in batch if document.source == target]
        seen += len(chosen)
        if chosen:
            found[1] += counts(hash_words(chosen), buckets)
    np.save(out / COUNTS, found, allow_pickle=False)
    return {"target_documents": seen, "sources": sorted(sources)}


def count_texts(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Count the features of the texts in a file (a unit of work); its digest is among the settings."""
    from pilotlight.corpus.target_text import read_texts, together

    del inputs, watch
    buckets = int(settings["buckets"])
    found = np.zeros((2, buckets), np.int64)
    seen = 0
    for texts in together(read_texts(Path(settings["path"]))):
        seen += len(texts)
        found[1] += counts(hash_words(texts), buckets)
    np.save(out / COUNTS, found, allow_pickle=False)
    return {"target_documents": seen}


def merge_counts(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Add the counts up and write the log ratio of the two distributions (a unit of work).

    Raises:
        DataError: the target holds no words.
    """
    del watch
    found = sum((np.load(unit / COUNTS, allow_pickle=False) for unit in inputs), np.zeros((2, 1), np.int64))
    raw, target = found.astype(np.float64)
    if not target.sum():
        raise DataError(
            f"the target {settings['named']} holds no words in this corpus; expected text of the kind to be selected. "
            "Name a file with text, or a source whose documents reach this step."
        )
    # One imagined occurrence, spread over the buckets in the proportion of all text: no ratio is infinite.
    prior = (raw + target + 1) / (raw + target + 1).sum()
    strength = float(settings["smoothing"])
    left = (target + strength * prior) / (target.sum() + strength)
    right = (raw + strength * prior) / (raw.sum() + strength)
    np.save(out / RATIO, np.log(left / right), allow_pickle=False)
    divergence = float(np.sum(left * np.log2(left / right)))
    # A word gives two features: itself, and the pair with the word before it.
    usual = 2 * float(np.sum(raw * np.log(left / right)) / max(1.0, raw.sum()))
    return {
        "usual": usual,
        "target_features": int(target.sum()),
        "features": int(raw.sum()),
        "divergence_bits": round(divergence, 6),
    }


def scores(
    units: Iterator[tuple[list[Document], HashedWords]],
    ratio: Float[np.ndarray, " buckets"],
    words_each: int,
    usual: float,
) -> Iterator[tuple[list[Document], Float[np.ndarray, " documents"]]]:
    """Return batches with the log importance of each document as if it had ``words_each`` words (NaN: it has none).

    Without this the longest documents would win by length alone; the paper cuts all text to 128 words instead. What
    a short document lacks counts as average text of the corpus, ``usual`` for each word: so being short is neither
    good nor bad.
    """
    buckets = len(ratio)
    padded = np.concatenate([ratio, np.zeros(1)])
    for batch, words in units:
        one, two = features(words, buckets)
        sums = words.sums(padded[one] + padded[two])
        sizes = np.diff(words.ends).astype(np.float64)
        counted = np.minimum(sizes, words_each)
        scaled = sums * counted / np.maximum(sizes, 1) + usual * (words_each - counted)
        yield batch, np.where(sizes > 0, scaled, np.nan)


def score_split(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the importance of the documents of a split, ranked with Gumbel noise (a unit of work)."""
    from pilotlight.corpus.ranking import sort_keys

    del watch
    split, merged = inputs
    ratio = np.load(merged / RATIO, allow_pickle=False)
    seed = int(settings["seed"])
    usual = float(facts(merged)["usual"])
    rows = RankedRows(seed)
    keys: list[Any] = [np.zeros(0, np.uint64)]
    for batch, values in scores(split_batches(split), ratio, int(settings["words"]), usual):
        rows.add(batch, values.tolist(), ("",) * len(batch))
        luck = chances(seed, (document.id for document in batch))
        uniform = ((luck >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
        noise = -np.log(-np.log(uniform)) * float(settings["noise"])
        keys.append(sort_keys(np.nan_to_num(values, nan=-1e30) + noise, luck << np.uint64(32)))
    return rows.write(out, np.concatenate(keys))
