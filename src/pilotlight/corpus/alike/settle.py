"""Units of work that say which of the documents alike stay, and write down who goes for whom.

A document goes if a better one that stays is like it, and only then: similarity is not passed on from one to the next.
As better is an order, there is exactly one way to decide this for all documents. It is found in rounds: in each, a unit
decides what it can about the documents of its split from what the last round knew about all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pilotlight.corpus.alike.table import FIELDS_GONE, is_fixed, look_up, read_table
from pilotlight.corpus.pile import Decision, facts, write_decisions
from pilotlight.events import Watcher
from pilotlight.units import show_share

if TYPE_CHECKING:
    from jaxtyping import UInt8, UInt64

OPEN, STAYS, GOES = 0, 1, 2
MOST_CLUSTERS = 20


def settle(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write what is known after one more round about the documents of a split; return how many are still open.

    ``inputs`` are the verified pairs of the split, then the last round of every split (none in the first round).
    """
    del watch
    last = inputs[1:]
    edges = np.load(inputs[0] / "edges.npy", allow_pickle=False)
    mine = (edges["worse"] & np.uint64(0xFFFFFFFF)).astype(np.int64)
    if last:
        state = np.load(last[int(settings["split"])] / "state.npy", allow_pickle=False)
    else:
        state = np.full(settings["documents"], STAYS, dtype=np.uint8)
        state[mine] = OPEN
    here = edges["better"] >> np.uint64(32) == np.uint64(settings["split"])
    rows = (edges["better"] & np.uint64(0xFFFFFFFF)).astype(np.int64)
    better = states(last, settings["splits"], edges["better"])
    before = -1
    while before != (before := int((state == OPEN).sum())):
        better[here] = state[rows[here]]
        live = state[mine] == OPEN
        waits = np.zeros(len(state), dtype=bool)
        waits[mine[live & (better == OPEN)]] = True
        goes = mine[live & (better == STAYS)]
        state[(state == OPEN) & ~waits] = STAYS
        state[goes] = GOES
    np.save(out / "state.npy", state, allow_pickle=False)
    return {"open": before}


def states(last: Sequence[Path], splits: int, places: UInt64[np.ndarray, " rows"]) -> UInt8[np.ndarray, " rows"]:
    """Return what the last round knew about documents; held-out ones, which come after all splits, stay."""
    numbers = (places >> np.uint64(32)).astype(np.int64)
    found = np.where(numbers >= splits, STAYS, OPEN).astype(np.uint8)
    for number, unit in enumerate(last):
        here = np.flatnonzero(numbers == number)
        if len(here):
            state = np.load(unit / "state.npy", mmap_mode="r", allow_pickle=False)
            found[here] = state[(places[here] & np.uint64(0xFFFFFFFF)).astype(np.int64)]
    return found


def decide(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write the decisions on a split: who goes, for the most similar twin that stays; return what goes by source.

    ``inputs`` are the verified pairs of the split, the last round of every split, then what every split signed.
    """
    del watch
    last, signed = inputs[1 : 1 + settings["splits"]], inputs[1 + settings["splits"] :]
    edges = np.load(inputs[0] / "edges.npy", allow_pickle=False)
    state = np.load(last[int(settings["split"])] / "state.npy", allow_pickle=False)
    goes = state[(edges["worse"] & np.uint64(0xFFFFFFFF)).astype(np.int64)] == GOES
    edges = edges[goes & (states(last, settings["splits"], edges["better"]) == STAYS)]
    standing, ids = look_up(signed, edges["better"], ("standing", "id"))
    edges = edges[np.lexsort((ids, standing, -edges["contained"], -edges["similarity"], edges["worse"]))]
    first = np.append(True, edges["worse"][1:] != edges["worse"][:-1])[: len(edges)]
    rows = rows_gone(signed, edges[first])
    own = signed[int(settings["split"])]
    count = write_gone(out, own, rows, settings["rule"], settings["similarity"])
    return {"decisions": count, "sources": _by_source(own, rows)}


def rows_gone(units: Sequence[Path], edges: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return rows for ``write_gone``: one for each edge from a document that goes to its twin."""
    standing, names = look_up(units, edges["better"], ("standing", "name"))
    rows = np.zeros(len(edges), dtype=[*FIELDS_GONE, ("twin", names.dtype)])
    rows["row"] = edges["worse"] & np.uint64(0xFFFFFFFF)
    rows["similarity"], rows["contained"] = edges["similarity"], edges["contained"]
    rows["held"], rows["twin"] = is_fixed(standing), names
    return rows


def write_gone(out: Path, unit: Path, rows: np.ndarray[Any, Any], rule: str, least: float) -> int:
    """Write the decisions for ``rows``, in the order of the documents of a split, and return how many there are."""
    names: Any = read_table(unit)["name"]

    def decisions() -> Iterator[Decision]:
        for row in rows:
            yield Decision(
                id=names[row["row"]].decode("utf-8", "surrogatepass"), drop=_reason(rule, row, least),
                twin=row["twin"].decode("utf-8", "surrogatepass"), similarity=round(float(row["similarity"]), 6),
            )  # fmt: skip

    return write_decisions(out, decisions())


def _reason(rule: str, row: Any, least: float) -> str:
    similarity, other = float(row["similarity"]), "a document that stays"
    if row["held"]:
        rule, other = f"{rule} of held-out text", "held-out text"
    if similarity < least:
        return f"{rule}: {show_share(float(row['contained']), 0)} of it stands in {other}"
    return f"{rule}: similarity {similarity:.3f} with {other}"


def _by_source(unit: Path, rows: np.ndarray[Any, Any]) -> dict[str, dict[str, Any]]:
    """Return for each source of a split what is there, what goes, and the twins for which most goes."""
    table = read_table(unit)
    gone: Any = table[rows["row"].astype(np.int64)]
    found: dict[str, dict[str, Any]] = {}
    for place, (name, documents, size) in enumerate(facts(unit)["sources"]):
        mine = np.flatnonzero(gone["source"] == place)
        mine = mine[np.argsort(gone["name"][mine], kind="stable")]  # so that examples are those with the smallest ids
        given: Any = rows["twin"][mine]
        twins, firsts, counts = np.unique(given, return_index=True, return_counts=True)
        most = np.lexsort((twins, -counts))[:MOST_CLUSTERS].tolist()
        found[name] = {
            "documents": documents, "bytes": size,
            "documents_gone": len(mine), "bytes_gone": int(gone["bytes"][mine].sum()),
            "clusters": [
                [bytes(twins[at]).decode(), int(counts[at]), bytes(gone["name"][mine[firsts[at]]]).decode(),
                 float(rows["similarity"][mine[firsts[at]]])]
                for at in most
            ],
        }  # fmt: skip
    return found
