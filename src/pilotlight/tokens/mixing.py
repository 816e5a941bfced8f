"""Sources as groups of a mix, shares over the training, and shares that follow losses."""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.corpus.shares import mixture
from pilotlight.corpus.side_table import read_scores
from pilotlight.errors import ConfigError, DataError
from pilotlight.tokens.order import Length, mixed
from pilotlight.tokens.tokens import Split

if TYPE_CHECKING:
    from jaxtyping import Float, Integer, UInt64

Shares = Callable[[int], Sequence[float]]
_ID_BYTES = 16
_MOST_REFERENCES = 4
_references: dict[tuple[Any, ...], dict[str, float]] = {}
_DIGITS = frozenset("0123456789abcdefABCDEF")


def groups_of(split: Split, by: str) -> tuple[tuple[str, ...], Integer[np.ndarray, " documents"], dict[str, int]]:
    """Return the names of the sources or languages that have text, the number of each document's, and their tokens.

    Raises:
        DataError: the tokens do not say.
    """
    numbers, names = (
        (split.languages, split.language_names) if by == "language" else (split.sources, split.source_names)
    )
    if numbers is None:
        way = "Put the filter `language` into the recipe" if by == "language" else "Pack the text again"
        raise DataError(
            f"the packed text does not say of which {by} its documents are. {way}, or choose another order."
        )
    tokens = np.bincount(numbers, weights=np.diff(split.bounds), minlength=len(names)).astype(np.int64)
    place = np.cumsum(tokens > 0) - 1
    there = {name or "(none)": int(count) for name, count in zip(names, tokens, strict=True) if count}
    return tuple(there), place[numbers], there


def shares_by_name(sizes: Mapping[str, float], training: float, how: Mapping[str, Any]) -> list[float]:
    """Return the shares of ``corpus.shares.mixture`` in the order of ``sizes``.

    Raises:
        ConfigError: a name is unknown, or there is too little text.
    """
    found = {weight.source: weight.share for weight in mixture(sizes, training, **how)}
    return [found[name] for name in sizes]


def constant(shares: Sequence[float]) -> Shares:
    """Return the same shares at every step."""
    found = tuple(float(share) for share in shares)
    return lambda place: found


def without_idle(
    names: Sequence[str], groups: Integer[np.ndarray, " documents"], table: Sequence[Sequence[float]]
) -> tuple[tuple[str, ...], Integer[np.ndarray, " documents"], list[list[float]]]:
    """Return names, groups and shares (one row a point in time) without the groups that never have a share."""
    used = [any(row[at] > 0 for row in table) for at in range(len(names))]
    place = np.where(used, np.cumsum(used) - 1, -1)
    kept = tuple(name for name, use in zip(names, used, strict=True) if use)
    return kept, place[groups], [[share for share, use in zip(row, used, strict=True) if use] for row in table]


def in_stages(points: Sequence[float], table: Sequence[Sequence[float]], length: Length) -> Shares:
    """Return shares that go in straight lines between points of the training, and stay as they are outside of them."""
    places, values = np.array(points), np.array(table)

    @lru_cache(maxsize=8)
    def found(place: int) -> tuple[float, ...]:
        done = length.done(place)
        return tuple(float(np.interp(done, places, column)) for column in values.T)

    return found


def refuse_repetition(
    points: Sequence[float], table: Sequence[Sequence[float]], sizes: Mapping[str, int], length: Length, most: float
) -> None:
    """Return if no source is seen more than ``most`` times over in the whole training.

    Raises:
        ConfigError: one is.
    """
    for (name, size), share in zip(sizes.items(), _mean(np.array(points), np.array(table)).tolist(), strict=True):
        epochs = share * length.tokens / size
        if epochs > most:
            raise ConfigError(
                f"train.order.schedule shows {name!r} {epochs:.1f} times over, more than most_epochs {most:g}. Give it "
                "less, train less, or raise most_epochs."
            )


def _mean(points: Float[np.ndarray, " stages"], table: Float[np.ndarray, "stages sources"]) -> np.ndarray:
    """Return the mean share of each source over the whole training: the lines are straight, so trapezia are exact."""
    places = np.concatenate([[0.0], points, [1.0]])
    values = np.concatenate([table[:1], table, table[-1:]])
    return (np.diff(places)[:, None] * (values[1:] + values[:-1]) / 2).sum(axis=0)


def scores_of(split: Split, path: Path, columns: tuple[str, str]) -> Float[np.ndarray, " documents"]:
    """Return the score of each document in a table (columns of ids and of scores); NaN where it has none.

    Raises:
        DataError: the file is no table, or lacks a column.
    """
    ids, values = bytearray(), array("d")
    for id, score in read_scores(path, *columns):
        if len(id) == 2 * _ID_BYTES and _DIGITS.issuperset(id):
            ids += bytes.fromhex(id)
            values.append(score)
    found = np.full(len(split.id_bytes), np.nan)
    if values:
        own, given = _words(np.ascontiguousarray(split.id_bytes)), _words(np.frombuffer(ids, dtype=np.uint8))
        keys = mixed(given[:, 0]) ^ given[:, 1]
        order = np.argsort(keys, kind="stable")
        place = np.searchsorted(keys[order], mixed(own[:, 0]) ^ own[:, 1])
        nearest = order[np.minimum(place, len(order) - 1)]
        hit = (given[nearest] == own).all(axis=1)
        found[hit] = np.frombuffer(values)[nearest[hit]]
    return found


def _words(raw: np.ndarray) -> UInt64[np.ndarray, "ids 2"]:
    return raw.reshape(-1, _ID_BYTES).view("<u8")


def reference_losses(split: Split, path: Path, columns: tuple[str, str]) -> dict[str, float]:
    """Return the loss of a reference model on each source, in nats per token, from a table of bits per byte.

    Raises:
        DataError: a source has no document in the table.
    """
    state = path.stat()
    key = (path, columns, state.st_mtime_ns, state.st_size, len(split.bounds), bytes(split.id_bytes[:4]))
    if key not in _references:  # read once a training, not at every update
        if len(_references) >= _MOST_REFERENCES:
            _references.clear()
        _references[key] = _reference_losses(split, path, columns)
    return _references[key]


def _reference_losses(split: Split, path: Path, columns: tuple[str, str]) -> dict[str, float]:
    names, groups, _ = groups_of(split, "source")
    bits = scores_of(split, path, columns)
    known = np.flatnonzero(~np.isnan(bits))
    nats = bits[known] * math.log(2) * split.bytes[known]
    tokens = np.diff(split.bounds)[known]
    sums = np.bincount(groups[known], weights=nats, minlength=len(names))
    counts = np.bincount(groups[known], weights=tokens, minlength=len(names))
    for name, count in zip(names, counts.tolist(), strict=True):
        if not count:
            raise DataError(
                f"{path} has no document of the source {name!r}; expected losses on training documents of every source."
            )
    return dict(zip(names, (sums / counts).tolist(), strict=True))


def by_excess(shares: Mapping[str, float], excess: Mapping[str, float], how: tuple[float, float]) -> dict[str, float]:
    """Return shares after one step of exponentiated gradient on the excess losses (DoReMi, Xie et al. 2023, algorithm 1).

    ``how`` is the rate and the part that is spread evenly.
    """
    rate, even = how
    logs = {name: math.log(max(share, 1e-300)) + rate * excess.get(name, 0.0) for name, share in shares.items()}
    return _softmax(logs, even)


def by_average(
    shares: Mapping[str, float], averages: Mapping[str, float], updates: int, how: tuple[float, float]
) -> dict[str, float]:
    """Return shares in proportion to exp(rate * average loss), mixed with even ones (ODM, Albalak et al. 2023).

    The even part is K * min(1/K, sqrt(log K / (K t))) at update t of K sources, and at least what ``how`` says: the rate
    and that part. A source that has not been seen counts as the mean of the others.
    """
    rate, even = how
    count = len(shares)
    explore = min(1.0, math.sqrt(count * math.log(max(count, 2)) / updates))
    middle = sum(averages.values()) / max(1, len(averages))
    return _softmax({name: rate * averages.get(name, middle) for name in shares}, max(even, explore))


def _softmax(logs: Mapping[str, float], even: float) -> dict[str, float]:
    highest = max(logs.values())
    weights = {name: math.exp(value - highest) for name, value in logs.items()}
    whole = sum(weights.values())
    return {name: (1.0 - even) * weight / whole + even / len(weights) for name, weight in weights.items()}
