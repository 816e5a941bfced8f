"""What the units of a comparison keep of each document besides its text: who it is and which of two is to stay."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import xxhash

from pilotlight.corpus.document import Document

if TYPE_CHECKING:
    from jaxtyping import Bool, UInt64

FIELDS_GONE = [("row", "<u4"), ("similarity", "<f8"), ("contained", "<f8"), ("held", "?")]
"""What is kept of a document that goes, besides the id of its twin."""

_NAME = "table.npy"
_FIXED = np.uint64(1 << 63)
_MOST_LENGTH = (1 << 40) - 1


@final
class Table:
    """Rows for the documents of a split, in order: id, place in the order of standing, bytes, number of the source.

    Of two documents alike the one with the smaller standing stays: held-out ones first, then those of preferred
    sources in the order given, then the longest (``by_length``), then the one with the smallest id.
    """

    def __init__(self, prefer: Sequence[str], *, fixed: bool, by_length: bool) -> None:
        self._prefer = {name: number for number, name in enumerate(prefer)}
        self._fixed, self._by_length = fixed, by_length
        self._rows: list[tuple[int, int, int, int]] = []
        self._ids: list[bytes] = []
        self._sources: dict[str, list[int]] = {}
        self._numbers: dict[str, int] = {}

    def add(self, document: Document) -> None:
        """Append the row of a document."""
        size = len(document.text) if document.text.isascii() else len(document.text.encode("utf-8", "surrogatepass"))
        place = self._prefer.get(document.source, len(self._prefer))
        standing = place << 40 | (_MOST_LENGTH - size if self._by_length else 0)
        number = self._numbers.setdefault(document.source, len(self._numbers))
        total = self._sources.setdefault(document.source, [0, 0])
        total[0] += 1
        total[1] += size
        self._rows.append((standing if self._fixed else standing | int(_FIXED), _number(document.id), size, number))
        self._ids.append(document.id.encode("utf-8", "surrogatepass"))

    def write(self, out: Path) -> dict[str, Any]:
        """Write the table into a folder, and return how many documents and bytes there are by source."""
        width = max([32, *map(len, self._ids)])
        kinds = [("standing", "<u8"), ("id", "<u8"), ("bytes", "<u8"), ("source", "<u4"), ("name", f"S{width}")]
        table = np.zeros(len(self._rows), dtype=kinds)
        for place, (name, _) in enumerate(kinds[:-1]):
            table[name] = [row[place] for row in self._rows]
        table["name"] = self._ids
        np.save(out / _NAME, table, allow_pickle=False)
        return {"documents": len(self._rows), "sources": [[name, *total] for name, total in self._sources.items()]}


def _number(id: str) -> int:
    """Return the first 64 bits of an id of 32 hex digits; a hash of any other."""
    if len(id) == 32:
        try:
            return int(id, 16) >> 64
        except ValueError:
            pass
    return xxhash.xxh3_64_intdigest(id.encode("utf-8", "surrogatepass"))


def read_table(unit: Path) -> np.ndarray[Any, Any]:
    """Return the table of a split; its rows are read when they are looked at."""
    return np.load(unit / _NAME, mmap_mode="r", allow_pickle=False)


def look_up(units: Sequence[Path], addresses: UInt64[np.ndarray, " rows"], fields: Iterable[str]) -> list[Any]:
    """Return columns of the tables of ``units`` for documents given by address: number of the unit, then of the row."""
    numbers, rows = (addresses >> np.uint64(32)).astype(np.int64), (addresses & np.uint64(0xFFFFFFFF)).astype(np.int64)
    names = list(fields)
    found: list[Any] = [None] * len(names)
    for number in map(int, np.unique(numbers)):
        table = read_table(units[number])
        here = np.flatnonzero(numbers == number)
        for place, name in enumerate(names):
            values = np.asarray(table[name][rows[here]])
            if found[place] is None:
                found[place] = np.zeros(len(addresses), dtype=values.dtype)
            elif found[place].dtype.itemsize < values.dtype.itemsize:
                found[place] = found[place].astype(values.dtype)
            found[place][here] = values
    if found and found[0] is None:
        return [np.zeros(0, dtype="S32" if name == "name" else np.uint64) for name in names]
    return found


def address(number: int, rows: np.ndarray[Any, Any]) -> UInt64[np.ndarray, " rows"]:
    """Return the addresses of rows of one unit."""
    return (np.uint64(number) << np.uint64(32)) | rows.astype(np.uint64)


def is_fixed(standing: UInt64[np.ndarray, " rows"]) -> Bool[np.ndarray, " rows"]:
    """Return which documents are held out."""
    return standing < _FIXED
