"""The keyed primitive: units emit rows under keys, and later units gather all rows of a range of keys.

Where the number of partitions is known beforehand, ``write_partitions`` and ``read_partition`` are enough. Where it
follows from how many rows there are, units write their rows in the order of their keys with ``write_keyed``, and any
number of partitions can be read back with ``read_keyed``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.errors import RecordError

if TYPE_CHECKING:
    from jaxtyping import Integer, UInt64

ROWS_TOGETHER = 2_000_000
"""Rows that one partition should hold about: what a unit sorts in memory."""


def partitions_for(rows: int, together: int = ROWS_TOGETHER) -> int:
    """Return into how many partitions so many rows should go: a power of two, at most 4096."""
    needed = max(1, -(-rows // together))
    return min(4096, 1 << (needed - 1).bit_length())


def partition_of(keys: UInt64[np.ndarray, " rows"], count: int) -> Integer[np.ndarray, " rows"]:
    """Return the partition of each key: its highest bits, so keys have to be hashes. ``count`` is a power of two."""
    if count == 1:
        return np.zeros(len(keys), dtype=np.int64)
    return (keys >> np.uint64(64 - (count.bit_length() - 1))).astype(np.int64)


def write_partitions(
    out: Path, name: str, rows: np.ndarray[Any, Any], of: Integer[np.ndarray, " rows"], count: int
) -> None:
    """Write ``rows`` (any dtype, structured too) so that ``read_partition`` finds those of partition ``of`` each.

    Rows of one partition keep their order.
    """
    if len(of) and bool((of[1:] < of[:-1]).any()):
        order = np.argsort(of, kind="stable")
        rows, of = rows[order], of[order]
    ends = np.searchsorted(of, np.arange(count + 1))
    np.save(out / f"{name}.rows.npy", np.ascontiguousarray(rows), allow_pickle=False)
    np.save(out / f"{name}.ends.npy", ends.astype(np.int64), allow_pickle=False)


def each_partition(units: Iterable[Path], name: str, number: int) -> Iterator[np.ndarray[Any, Any]]:
    """Return for each of ``units``, in order, the rows that it wrote for one partition; the rest is not read."""
    for unit in units:
        ends = np.load(unit / f"{name}.ends.npy", allow_pickle=False)
        yield _rows(unit / f"{name}.rows.npy", int(ends[number]), int(ends[number + 1]))


def read_partition(units: Iterable[Path], name: str, number: int) -> np.ndarray[Any, Any]:
    """Return the rows that ``units`` wrote for one partition, in the order of the units; the rest is not read.

    Raises:
        RecordError: there is no unit to read.
    """
    found = list(each_partition(units, name, number))
    if not found:
        raise RecordError(f"no unit has written {name}; expected at least one.")
    return np.concatenate(found)


def write_keyed(out: Path, name: str, keys: UInt64[np.ndarray, " rows"], rows: np.ndarray[Any, Any]) -> None:
    """Write ``rows`` (any dtype) under their keys, which have to be hashes; rows of equal keys keep their order."""
    order = np.argsort(keys, kind="stable")
    np.save(out / f"{name}.keys.npy", keys[order].astype(np.uint64), allow_pickle=False)
    np.save(out / f"{name}.rows.npy", np.ascontiguousarray(rows[order]), allow_pickle=False)


def read_keyed(
    units: Iterable[Path], name: str, number: int, count: int
) -> Iterator[tuple[UInt64[np.ndarray, " rows"], np.ndarray[Any, Any]]]:
    """Return for each of ``units``, in order, keys and rows of partition ``number`` of ``count`` (a power of two)."""
    shift = 64 - (count.bit_length() - 1)
    bounds = np.array([number << shift, min(((number + 1) << shift) - 1, 2**64 - 1)], dtype=np.uint64)
    for unit in units:
        keys: Any = np.load(unit / f"{name}.keys.npy", mmap_mode="r", allow_pickle=False)
        start, stop = int(keys.searchsorted(bounds[0])), int(keys.searchsorted(bounds[1], side="right"))
        yield np.array(keys[start:stop]), _rows(unit / f"{name}.rows.npy", start, stop)


def _rows(path: Path, start: int, stop: int) -> np.ndarray[Any, Any]:
    return np.array(np.load(path, mmap_mode="r", allow_pickle=False)[start:stop])
