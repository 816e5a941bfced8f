"""The work behind the step ``balance``: count cells, fit shares, drop or repeat."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.corpus.hashed_words import chances
from pilotlight.corpus.pile import Decision, read_split, write_decisions
from pilotlight.corpus.ranking import (
    CUTS,
    IDS,
    RankedRows,
    RankedUnits,
    Sized,
    attribute,
    before_and_after,
    kept_rows,
    pointer,
    rows_of,
    weights,
)
from pilotlight.corpus.shares import fit_margins, margin_targets
from pilotlight.errors import DataError

if TYPE_CHECKING:
    from jaxtyping import Float, Integer


def measure(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write in which cell each document of a split is (a unit of work)."""
    del watch
    rows = RankedRows(int(settings["seed"]))
    ids: list[str] = []
    for document in read_split(inputs[0]):
        cell = json.dumps([attribute(document, axis) for axis in settings["axes"]], ensure_ascii=False)
        rows.add((Sized(document.id, document.source, document.bytes, document.facts),), (0.0,), (cell,))
        ids.append(document.id)
    return rows.write(out, chances(int(settings["seed"]), ids))


def plan(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write how many bytes of each cell are wanted, and facts with shares before and after (a unit of work).

    Raises:
        DataError: there are no documents, or none would be left.
    """
    del watch
    ranked = RankedUnits.open(inputs)
    available = ranked.totals("bytes")
    cells: list[tuple[str, ...]] = [tuple(json.loads(group)) for group in ranked.groups]
    if not cells:
        raise DataError("no document is left to balance; expected text. Look at what the steps before have dropped.")
    shares: dict[str, dict[str, float]] = settings["shares"]
    margins: list[dict[str, float]] = []
    for axis, (name, declared) in enumerate(shares.items()):
        present: dict[str, float] = {}
        for cell, size in zip(cells, available.tolist(), strict=True):
            present[cell[axis]] = present.get(cell[axis], 0.0) + size
        margins.append(margin_targets(name, present, declared))
    fitted = fit_margins(dict(zip(cells, available.tolist(), strict=True)), margins)
    share = np.array([fitted[cell] for cell in cells])
    most = float(settings["most_repeats"])
    # The cell that has least text for its share decides how large the corpus can be.
    total = min(float(available.sum()), float(np.min((available * most)[share > 0] / share[share > 0])))
    wanted = share * total
    whole = np.floor(wanted / available + 1e-9)
    once_more = ranked.cut(np.maximum(wanted - whole * available, 0.0), np.full(len(cells), 0.5), "bytes")
    cuts = {"groups": ranked.groups, "sources": ranked.sources, "low": [0] * len(cells), "high": once_more,
            "times": [int(times) for times in whole]}  # fmt: skip
    (out / CUTS).write_text(json.dumps(cuts), encoding="utf-8")
    after = sum((_after(rows, cuts, len(cells)) for rows in ranked), np.zeros(len(cells)))
    found = before_and_after(ranked, lambda rows: repeats(rows, cuts) > 0)
    return found | {
        "bytes_with_repeats": int(after.sum()),
        "axes": {name: _shares(axis, cells, available, after, margins[axis]) for axis, name in enumerate(shares)},
    }


def repeats(rows: np.ndarray[Any, Any], cuts: dict[str, Any]) -> Integer[np.ndarray, " rows"]:
    """Return how often each row is to stand in the corpus."""
    once_more = kept_rows(rows, cuts, keep_missing=True)
    return np.array(cuts["times"], np.int64)[np.maximum(rows["group"], 0)] + once_more


def _after(rows: np.ndarray[Any, Any], cuts: dict[str, Any], count: int) -> Float[np.ndarray, " cells"]:
    return np.bincount(rows["group"], weights=weights(rows, "bytes") * repeats(rows, cuts), minlength=count)


def _shares(
    axis: int, cells: Sequence[tuple[str, ...]], before: Any, after: Any, margin: dict[str, float]
) -> dict[str, dict[str, float]]:
    """Return bytes and shares before and after of every value of an axis, and the share that was wanted."""
    found: dict[str, dict[str, float]] = {}
    for cell, old, new in zip(cells, before.tolist(), after.tolist(), strict=True):
        row = found.setdefault(cell[axis], {"bytes": 0.0, "bytes_after": 0.0})
        row["bytes"] += old
        row["bytes_after"] += new
    for value, row in found.items():
        row["share"] = round(row["bytes"] / max(1.0, float(before.sum())), 6)
        row["share_after"] = round(row["bytes_after"] / max(1.0, float(after.sum())), 6)
        row["share_wanted"] = round(margin.get(value, 0.0), 6)
    return found


def choose(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the decisions on one split (a unit of work)."""
    del settings, watch
    unit, planned = inputs
    cuts = json.loads((planned / CUTS).read_text(encoding="utf-8"))
    times = repeats(rows_of(unit, cuts["groups"], cuts["sources"]), cuts).tolist()
    ids = (unit / IDS).read_text(encoding="utf-8").splitlines()
    write_decisions(out, [
        Decision(id, drop="" if often else "beyond its share", values={"repeats": often})
        for id, often in zip(ids, times, strict=True)
    ])  # fmt: skip
    return pointer(planned)
