"""Units of work that find documents that read the same: key each split, then join by key."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pilotlight.corpus.alike.pairs import EDGE
from pilotlight.corpus.alike.settle import rows_gone, write_gone
from pilotlight.corpus.alike.table import Table, address, is_fixed, look_up
from pilotlight.corpus.partitions import read_keyed, read_partition, write_keyed, write_partitions
from pilotlight.corpus.pile import read_split
from pilotlight.corpus.sameness import text_key
from pilotlight.events import Watcher

_ROW = np.dtype([("low", "<u8"), ("row", "<u4")])
_HALF = 2**64 - 1


def key(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write for each document of a split its row and its 128-bit key; return documents and bytes by source."""
    del watch
    table = Table(settings["prefer"], fixed=settings["fixed"], by_length=False)
    keys: list[int] = []
    for document in read_split(inputs[0]):
        table.add(document)
        keys.append(text_key(document.text))
    rows = np.zeros(len(keys), dtype=_ROW)
    rows["low"] = [number & _HALF for number in keys]
    rows["row"] = np.arange(len(keys))
    write_keyed(out, "keys", np.array([number >> 64 for number in keys], dtype=np.uint64), rows)
    return {**table.write(out), "rows": len(keys)}


def join(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write which documents with keys of one partition go, and for which twin, by split."""
    del watch
    given = read_keyed(inputs, "keys", settings["partition"], settings["partitions"])
    found = [(high, rows["low"], address(number, rows["row"])) for number, (high, rows) in enumerate(given)]
    high, low, places = (np.concatenate(columns) for columns in zip(*found, strict=True))
    del found
    order = np.lexsort((low, high))
    high, low, places = high[order], low[order], places[order]
    again = np.zeros(len(high) + 1, dtype=bool)
    again[1:-1] = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
    repeated = again[1:] | again[:-1]
    starts = ~again[:-1][repeated]  # the first with its key
    places = places[repeated]
    group = np.cumsum(starts)
    standing, ids = look_up(inputs, places, ("standing", "id"))
    order = np.lexsort((ids, standing, group))  # groups stay where they are
    places, standing = places[order], standing[order]
    first = places[np.flatnonzero(starts)[group - 1]] if len(group) else places
    goes = ~starts & ~is_fixed(standing)
    gone = np.zeros(int(goes.sum()), dtype=EDGE)
    gone["worse"], gone["better"], gone["similarity"], gone["contained"] = places[goes], first[goes], 1.0, 1.0
    write_partitions(
        out, "gone", rows_gone(inputs, gone), (gone["worse"] >> np.uint64(32)).astype(np.int64), len(inputs)
    )
    return {"gone": len(gone)}


def decide(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write the decisions on a split; ``inputs`` are its keys and all that was joined."""
    del watch
    rows = read_partition(inputs[1:], "gone", settings["split"])
    rows = rows[np.argsort(rows["row"], kind="stable")]
    return {"decisions": write_gone(out, inputs[0], rows, "exact duplicate", 0.0)}
