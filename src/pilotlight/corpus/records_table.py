"""One row per record of a split, with its fate and everything that was measured: the side table, as Parquet."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pilotlight.corpus.ingest import QUARANTINE
from pilotlight.corpus.pile import DOCUMENTS
from pilotlight.corpus.segment import VALUES
from pilotlight.corpus.store import documents, rows
from pilotlight.events import Watcher

RECORDS = "records.parquet"
BASE = {
    "id": "text", "source": "text", "origin": "text", "content": "text", "fate": "text", "step": "text",
    "reason": "text", "twin": "text", "similarity": "number", "read": "count", "bytes": "count",
}  # fmt: skip
"""Columns that every corpus has: ``read`` and ``bytes`` are UTF-8 bytes before the steps and after them."""


def tabulate(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write the table of one split: ``inputs`` are the unit that read it, then its segments in order.

    For the table of the held-out documents the only input is the unit that holds them.
    """
    del watch
    found = list(_held_out(inputs[0])) if settings["held_out"] else list(_records(inputs))
    _write(out / RECORDS, found, settings["columns"])
    return {"records": len(found)}


def _held_out(unit: Path) -> Iterator[dict[str, Any]]:
    for document in documents(unit / DOCUMENTS):
        yield {
            "id": document.id, "source": document.source, "origin": document.origin,
            "content": document.facts["content"], "fate": "held_out", "read": document.bytes, "bytes": document.bytes,
        }  # fmt: skip


def _records(inputs: Sequence[Path]) -> Iterator[dict[str, Any]]:
    records: dict[str, dict[str, Any]] = {}
    for unit in inputs[1:]:
        for row in rows(unit / VALUES):
            records.setdefault(row["id"], {}).update(row)
    yield from records.values()
    for row in rows(inputs[0] / QUARANTINE):
        reason = f"{row['reason']} ({row['detail']})" if row["detail"] else row["reason"]
        yield {key: row[key] for key in ("id", "source", "origin")} | {"fate": "quarantined", "reason": reason}


def _write(path: Path, found: Sequence[dict[str, Any]], columns: dict[str, str]) -> None:
    pa: Any = importlib.import_module("pyarrow")  # it has no types
    parquet: Any = importlib.import_module("pyarrow.parquet")
    types = {"text": pa.string(), "number": pa.float64(), "count": pa.int64()}
    arrays: dict[str, Any] = {}
    for name, kind in {**BASE, **columns}.items():
        values = [row.get(name) for row in found]
        if kind == "number":
            values = [None if value is None else float(value) for value in values]
        arrays[name] = pa.array(values, types[kind])
    parquet.write_table(pa.table(arrays), path, compression="zstd")
