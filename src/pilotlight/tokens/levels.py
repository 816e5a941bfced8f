"""Levels of difficulty, and which of them are open when."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pilotlight.errors import DataError
from pilotlight.tokens.mixing import scores_of
from pilotlight.tokens.order import Length, Mix
from pilotlight.tokens.tokens import Split

if TYPE_CHECKING:
    from jaxtyping import Float, Integer


def difficulties(
    split: Split, table: Path | None, columns: tuple[str, str], missing: str
) -> Float[np.ndarray, " documents"]:
    """Return how hard each document is: its tokens, or its score in a table.

    Raises:
        DataError: documents have no score, and ``missing`` is ``stop``.
    """
    if table is None:
        return np.diff(split.bounds).astype(np.float64)
    found = scores_of(split, table, columns)
    unknown = np.isnan(found)
    if unknown.any() and missing == "stop":
        raise DataError(
            f"{int(unknown.sum())} of {len(found)} documents have no score in {table}; expected one for each. Make the "
            "table over this corpus, or set train.order.missing to hardest or easiest."
        )
    return np.where(unknown, np.inf if missing == "hardest" else -np.inf, found)


def into_levels(
    split: Split, scores: Float[np.ndarray, " documents"], levels: int, context: int
) -> Integer[np.ndarray, " documents"]:
    """Return the level of each document, from the lowest scores up: about as many tokens in each.

    A level that would not fill a row joins the one below it.
    """
    lengths = np.diff(split.bounds)
    order = np.argsort(scores, kind="stable")
    middle = np.cumsum(lengths[order]) - lengths[order] / 2
    found = np.empty(len(order), dtype=np.int64)
    found[order] = np.minimum((middle * levels / max(1, int(lengths.sum()))).astype(np.int64), levels - 1)
    sizes = np.bincount(found, weights=lengths, minlength=levels)
    number = np.zeros(levels, dtype=np.int64)
    held, next_level = 0.0, -1
    for level, size in enumerate(sizes.tolist()):
        if next_level < 0 or (held > context and sizes[level:].sum() > context):
            held, next_level = 0.0, next_level + 1
        held += size
        number[level] = next_level
    return number[found]


def opening(
    levels: Integer[np.ndarray, " documents"], split: Split, length: Length, pace: tuple[str, float, float]
) -> Mix:
    """Return the mix of levels: ``pace`` is its name, the share open at the beginning, and when all are open."""
    count = int(levels.max()) + 1 if len(levels) else 1
    sizes = np.bincount(levels, weights=np.diff(split.bounds), minlength=count)
    ends = np.cumsum(sizes) / max(1.0, float(sizes.sum()))
    begins = np.concatenate([[0.0], ends[:-1]])
    kind, start, until = pace

    @lru_cache(maxsize=8)
    def shares(place: int) -> tuple[float, ...]:
        done = length.done(place) / until
        if kind == "stages" and done < 1.0:
            open_parts = np.where((begins <= done) & (done < ends), 1.0, 0.0)
        else:
            open_parts = np.clip(_competence(kind, min(done, 1.0), start) - begins, 0.0, ends - begins)
        return tuple((open_parts / open_parts.sum()).tolist())

    names = tuple(f"level {number + 1} of {count}" for number in range(count))
    return Mix(names, levels, shares)


def _competence(kind: str, done: float, start: float) -> float:
    """Return the share of the text that is open (Platanios et al. 2019, equations 6 and 8)."""
    if kind == "linear":
        return min(1.0, start + done * (1.0 - start))
    return min(1.0, math.sqrt(start**2 + done * (1.0 - start**2)))
