"""A small linear model of texts: logistic regression on hashed n-grams of words and characters.

The same text has the same score in any process and order. The method is that of fastText's classifiers (Joulin et al.
2016, arXiv:1607.01759) without the embedding: features are words, pairs of neighbouring words, and runs of 3 to 5
bytes, hashed into buckets (Weinberger et al. 2009, arXiv:0902.2206), their counts over the root of their number.
"""

from __future__ import annotations

import json
import math
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, final

import numpy as np

from pilotlight.corpus.side_files import stamp
from pilotlight.errors import DataError

BUCKETS = 1 << 18
"""Number of features."""
FORMAT = 1
"""Version of the features and of the file; a file of another version is refused."""
_LONGEST = 20_000  # bytes looked at: the first half and the last half of so many
_NGRAMS = (3, 4, 5)
_WORD_BYTES = 32  # bytes of a word that are hashed
_SIGNS = b"'*@$#!?"
_PLAIN = bytes(
    code if code >= 128 or code in _SIGNS or chr(code).isalpha() else (48 if chr(code).isdigit() else 32)
    for code in range(256)
)


@cache
def _tables() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return a number for each byte and for each place in a word: fixed, odd, and well mixed."""
    numbers = np.arange(1, 256 + _WORD_BYTES + 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    numbers ^= numbers >> np.uint64(29)
    numbers *= np.uint64(0xBF58476D1CE4E5B9)
    mixed = ((numbers >> np.uint64(32)) | np.uint64(1)).astype(np.uint32)
    return mixed[:256], mixed[256 : 256 + _WORD_BYTES + 1]


def _mixed(hashes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the buckets of hashes; the highest bits, as those of a product are the best mixed."""
    return ((hashes ^ (hashes >> np.uint32(15))) * np.uint32(0x2C1B3C6D)) >> np.uint32(32 - BUCKETS.bit_length() + 1)


def features(text: str) -> np.ndarray[Any, Any]:
    """Return the bucket (uint32) of every n-gram of a text, with repeats; of a long text, of its beginning and its end."""
    if len(text) > _LONGEST:
        text = text[: _LONGEST // 2] + " " + text[-_LONGEST // 2 :]
    plain = b" ".join(text.lower().encode("utf-8", "replace").translate(_PLAIN).split())
    if not plain:
        return np.zeros(0, dtype=np.uint32)
    of_byte, of_place = _tables()
    data = np.frombuffer(b" " + plain + b" ", dtype=np.uint8)
    values = of_byte[data]
    found = [*_words(data, values, of_place)]
    running = values[:-1] * np.uint32(0x85EBCA6B) + values[1:]
    for length in _NGRAMS:
        if len(data) < length:
            break
        running = running[: len(data) - length + 1] * np.uint32(0x85EBCA6B) + values[length - 1 :]
        found.append(running ^ np.uint32(length * 0x27D4EB2F))
    return _mixed(np.concatenate(found))


def _words(
    data: np.ndarray[Any, Any], values: np.ndarray[Any, Any], of_place: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return hashes of words and of pairs of neighbours; ``data`` has one space before, between and after words."""
    spaces = np.flatnonzero(data == 32)
    starts = spaces[:-1] + 1
    lengths = spaces[1:] - starts
    places = np.minimum(np.arange(len(data) - 1) - np.repeat(spaces[:-1], lengths + 1), _WORD_BYTES)
    weighted = values[:-1] * of_place[places]
    words = np.add.reduceat(weighted, spaces[:-1], dtype=np.uint32)
    words ^= words >> np.uint32(13)
    return words * np.uint32(0x9E3779B1), words[:-1] * np.uint32(0x165667B1) + words[1:] * np.uint32(0xC2B2AE3D)


@final
@dataclass(frozen=True)
class LinearModel:
    """Weights of a trained model, and its card."""

    weights: np.ndarray[Any, Any]
    """Float32 [buckets]."""
    bias: float
    threshold: float
    """Score from which a text counts as positive, chosen on texts that were not trained on."""
    card: dict[str, Any]
    """What it was trained on and how well it did, as plain data."""

    def score(self, text: str) -> float:
        """Return the chance that ``text`` is positive, from 0 to 1; that of an empty text is that of the bias."""
        found = features(text)
        total = self.bias
        if len(found):
            total += float(self.weights[found].sum(dtype=np.float64)) / math.sqrt(len(found))
        return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, total))))

    def save(self, path: Path) -> None:
        """Write the model as one NumPy archive without pickles; the same model gives the same bytes."""
        meta = {"format": FORMAT, "bias": self.bias, "threshold": self.threshold, "card": self.card}
        text = json.dumps(meta, sort_keys=True, ensure_ascii=False, allow_nan=False).encode("utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            np.savez_compressed(file, weights=self.weights, meta=np.frombuffer(text, dtype=np.uint8))


def load_model(path: Path) -> LinearModel:
    """Return a model that ``LinearModel.save`` wrote.

    Raises:
        DataError: there is no such file, or it is not such a model, or of another version.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            weights = np.asarray(file["weights"], dtype=np.float32)
            meta = json.loads(bytes(file["meta"]).decode("utf-8"))
    except FileNotFoundError:
        raise DataError(f"there is no model at {path}; write one with `pilot corpus learn`.") from None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise DataError(
            f"{path} is not a linear model; expected the file (.npz) that `pilot corpus learn labelled.csv --out model.npz` "
            "wrote from labelled texts."
        ) from None
    except AttributeError:  # a bare array (.npy) is no archive
        raise DataError(f"{path} holds an array and no model; write one with `pilot corpus learn`.") from None
    if meta.get("format") != FORMAT or weights.shape != (BUCKETS,) or not np.isfinite(weights).all():
        raise DataError(f"{path} is of format {meta.get('format')}, expected {FORMAT}; train the model again.")
    return LinearModel(weights, float(meta["bias"]), float(meta["threshold"]), meta["card"])


def cached_model(path: str) -> LinearModel:
    """Return the model at ``path``, read once per process and change of the file."""
    return _model(path, stamp(Path(path)))


@cache
def _model(path: str, changed: tuple[int, int]) -> LinearModel:
    del changed
    return load_model(Path(path))
