"""Texts as directions in space: by their words, weighted by how rare they are, or as an encoder saw them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.corpus.hashed_words import HashedWords, mix, n_grams
from pilotlight.errors import DataError

if TYPE_CHECKING:
    from jaxtyping import Float, Int16, Integer

FEATURES = 1 << 18
"""Numbers that words and pairs of words are hashed to."""
WIDTH = 512
"""Directions that the features are projected on; a cosine of 0.9 comes out within about 0.01."""
NORM = 4000.0
"""Length of a vector of whole numbers. Its products with another are below 2**24, so that 32-bit floats add them up
exactly, in any order: the same on every machine and with every number of threads."""
_SIGNS = 2
_PAIR_WEIGHT = 0.5


def whole(vectors: Float[np.ndarray, "documents width"]) -> Int16[np.ndarray, "documents width"]:
    """Return the directions of ``vectors`` as whole numbers; zero where a vector has no direction."""
    length = np.sqrt((vectors * vectors).sum(1, keepdims=True))
    return np.rint(vectors * (NORM / np.where(length > 0, length, 1.0))).astype(np.int16)


def _features(words: HashedWords) -> tuple[Integer[np.ndarray, " terms"], Integer[np.ndarray, " terms"], Any]:
    """Return document, feature and count of every word and every pair of neighbours, each once per document."""
    single, pair = n_grams(words, 2)
    document = words.document
    inside = words.place() >= 1
    every = np.concatenate([single, mix(pair[inside])]) & np.uint64(FEATURES // 2 - 1)
    every[len(single) :] += np.uint64(FEATURES // 2)
    owner = np.concatenate([document, document[inside]]).astype(np.uint64)
    both, counts = np.unique(owner * np.uint64(FEATURES) + every, return_counts=True)
    return (both // np.uint64(FEATURES)).astype(np.int64), (both % np.uint64(FEATURES)).astype(np.int64), counts


def document_counts(words: HashedWords) -> Integer[np.ndarray, " features"]:
    """Return in how many documents each feature stands."""
    return np.bincount(_features(words)[1], minlength=FEATURES)


def rarity(counts: Integer[np.ndarray, " features"], documents: int) -> Float[np.ndarray, " features"]:
    """Return the weight of each feature: one, and the logarithm of one over the share of documents that hold it.

    Rounded to 1/256, so that no library's last digit of a logarithm changes anything. A feature of all documents keeps
    the weight of one: else texts of a small corpus would differ in all that counts.
    """
    weights = 1.0 + np.rint(256.0 * np.log((documents + 1.0) / (counts + 1.0))) / 256.0
    weights[FEATURES // 2 :] *= _PAIR_WEIGHT
    return weights


@lru_cache(maxsize=1)
def _projection() -> list[tuple[Integer[np.ndarray, " features"], Float[np.ndarray, " features"]]]:
    """Return the directions that each feature goes to, with their signs (Kane and Nelson 2014)."""
    found: list[tuple[Any, Any]] = []
    for number in range(_SIGNS):
        hashes = mix(np.arange(FEATURES, dtype=np.uint64) + np.uint64((number + 1) << 40))
        signs = 1.0 - 2.0 * ((hashes >> np.uint64(32)) & np.uint64(1)).astype(np.float64)
        found.append(((hashes % np.uint64(WIDTH)).astype(np.int64), signs))
    return found


def word_vectors(words: HashedWords, weights: Float[np.ndarray, " features"]) -> Int16[np.ndarray, "documents width"]:
    """Return the vector of each document: TF-IDF of its words and pairs of words (Salton and Buckley 1988), projected."""
    document, feature, counts = _features(words)
    documents = len(words.ends) - 1
    weight = np.rint(256.0 * (1.0 + np.log(counts))) / 256.0 * weights[feature]
    total = np.zeros(documents * WIDTH)
    for direction, sign in _projection():
        place = document * WIDTH + direction[feature]
        total += np.bincount(place, weights=weight * sign[feature], minlength=documents * WIDTH)
    return whole(total.reshape(documents, WIDTH))


def given_vectors(path: Path, ids: Sequence[str]) -> Int16[np.ndarray, "documents width"]:
    """Return the vectors of documents from a file: Parquet with ``id`` and ``vector``, or .npz with ids and vectors.

    Raises:
        DataError: the file is of another kind, or lacks a document.
    """
    rows = {id: row for row, id in enumerate(ids)}
    found: np.ndarray[Any, Any] | None = None
    seen = np.zeros(len(ids), bool)
    for names, vectors in _batches(path):
        own = [(at, rows[name]) for at, name in enumerate(names) if name in rows]
        if found is None:
            found = np.zeros((len(ids), vectors.shape[1]), np.float64)
        if own:
            at, row = (np.array(side) for side in zip(*own, strict=True))
            found[row], seen[row] = vectors[at], True
    if found is None or not seen.all():
        lacking = next((id for id, there in zip(ids, seen.tolist(), strict=True) if not there), "")
        raise DataError(
            f"{path} has no vector for {int((~seen).sum())} of {len(ids)} documents, such as {lacking}. Expected one for "
            "every document that is left before the step; encode the missing ones."
        )
    if not np.isfinite(found).all():
        raise DataError(f"{path} holds vectors that are not finite. Encode these documents again.")
    return whole(found)


def _batches(path: Path) -> Any:
    """Yield ids and vectors of a file."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            if {"ids", "vectors"} - set(file.files):
                raise DataError(f"{path} holds {', '.join(file.files)}. Expected the arrays ids and vectors.")
            yield [str(id) for id in file["ids"].tolist()], file["vectors"].astype(np.float64)
        return
    if path.suffix != ".parquet":
        raise DataError(f"{path} is no table of vectors that can be read. Expected a .parquet or .npz file.")
    parquet: Any = import_module("pyarrow.parquet")
    file = parquet.ParquetFile(path)
    names: list[str] = file.schema_arrow.names
    if {"id", "vector"} - set(names):
        raise DataError(f"{path} has the columns {', '.join(names)}. Expected id and vector.")
    for batch in file.iter_batches(8192, columns=["id", "vector"]):
        vectors = batch.column("vector")
        width = len(vectors[0]) if len(vectors) else 0
        yield batch.column("id").to_pylist(), np.asarray(vectors.flatten(), np.float64).reshape(-1, width)
