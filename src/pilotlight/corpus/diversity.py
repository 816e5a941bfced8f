"""The work behind the step ``diverse``: how much of each cluster stays."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.corpus.pile import Decision, write_decisions
from pilotlight.corpus.ranking import (
    CUTS,
    HIGHEST_KEY,
    IDS,
    MISSING,
    RankedUnits,
    before_and_after,
    kept_range,
    kept_rows,
    pointer,
    rows_of,
)

if TYPE_CHECKING:
    from jaxtyping import Float


def fill_evenly(sizes: Float[np.ndarray, " clusters"], wanted: float) -> Float[np.ndarray, " clusters"]:
    """Return how much to take of each cluster: the same of all, or all of it where there is less."""
    left, taken = wanted, np.zeros(len(sizes))
    for done, place in enumerate(np.argsort(sizes, kind="stable").tolist()):
        taken[place] = min(float(sizes[place]), left / (len(sizes) - done))
        left -= float(taken[place])
    return taken


def choose_parts(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write which part of each cluster stays (a unit of work)."""
    del watch
    ranked = RankedUnits.open(inputs)
    share, by, half = float(settings["share"]), settings["by"], np.full(len(ranked.groups), 0.5)
    totals = ranked.totals(by)
    low = [0] * len(totals)
    if settings["keep"] == "even":
        targets = fill_evenly(totals, share * float(totals.sum()))
        high = [HIGHEST_KEY + 1 if target >= total else key
                for key, target, total in zip(ranked.cut(targets, half, by), targets, totals, strict=True)]  # fmt: skip
    else:
        start, end = kept_range("highest" if settings["keep"] == "far" else "lowest", share)
        low = ranked.cut(totals * start, half, by) if start else low
        high = ranked.cut(totals * end, half, by)
    cuts = {"groups": ranked.groups, "sources": ranked.sources, "low": low, "high": high}
    (out / CUTS).write_text(json.dumps(cuts), encoding="utf-8")
    found = before_and_after(ranked, lambda rows: kept_rows(rows, cuts, keep_missing=True))
    return {**found, "clusters": found.pop("groups")}


def choose(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Write the decisions on one split (a unit of work)."""
    del watch
    unit, chosen = inputs
    cuts = json.loads((chosen / CUTS).read_text(encoding="utf-8"))
    rows = rows_of(unit, cuts["groups"], cuts["sources"])
    kept = kept_rows(rows, cuts, keep_missing=True).tolist()
    ids = (unit / IDS).read_text(encoding="utf-8").splitlines()
    decisions: list[Decision] = []
    reason = {"even": "crowded cluster", "far": "close to the centre", "near": "far from the centre"}[settings["keep"]]
    for id, keep, group, distance in zip(ids, kept, rows["group"].tolist(), rows["value"].tolist(), strict=True):
        if group == MISSING:
            continue
        cluster = int(cuts["groups"][group])
        why = "" if keep else f"{reason}: cluster {cluster}, distance {distance:.3f}"
        decisions.append(Decision(id, drop=why, values={"cluster": cluster, "distance": distance}))
    write_decisions(out, decisions)
    return pointer(chosen)
