"""Which documents are held out: decided over raw text by the hash of ids, before any processing step."""

from __future__ import annotations

import heapq
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import xxhash

from pilotlight.corpus.document import Document, has_text
from pilotlight.corpus.pile import DOCUMENTS
from pilotlight.corpus.run_of_steps import RunOfSteps
from pilotlight.corpus.sameness import text_key
from pilotlight.corpus.store import Rows, documents, to_row
from pilotlight.events import Watcher
from pilotlight.manifest import write_atomic

STUBS = "candidates.json"
KEYS = "keys.json"
LEAST_DOCUMENTS = 20
LEAST_BYTES = 50_000
_LARGEST_SHARE = 10  # a small corpus holds out at most a tenth to reach the least
_MOST_STUBS = 100_000  # in memory, before those that cannot be wanted are let go
_LEAST_GROUPS = 200  # candidates of a split beyond the share, in case some are too large


@final
@dataclass(frozen=True, slots=True)
class Stub:
    """What is known of a document that may be held out."""

    id: str
    bytes: int
    key: int
    """Equal for texts that read the same, see ``text_key``."""
    group: str
    """Documents of one group go to the same side; the id where a document stands alone."""


def position(group: str, start: float = 0.0) -> float:
    """Return where a group stands in the fixed order of holding out that begins at ``start``, between 0 and 1."""
    place = xxhash.xxh3_64_intdigest(b"held out\0" + group.encode()) / 2**64
    return (place - start) % 1.0 if start else place


@final
class Candidates:
    """The documents of a split that may be held out: whole groups, first in the order of the hash of their names.

    Kept are the groups below ``share``, or a few hundred if those are fewer, up to some times ``most_bytes``: no more
    of one split can be wanted. So memory does not grow with the split.
    """

    def __init__(self, share: float, most_bytes: float, start: float = 0.0) -> None:
        self._share, self._most, self._start = share, 4 * most_bytes, start
        self._groups: dict[str, list[Document]] = {}
        self._last: list[tuple[float, str]] = []  # positions negated: the last group on top
        self._sizes: dict[str, int] = {}
        self._bytes = 0
        self._bound = 1.0 if share > 0 else 0.0

    def add(self, document: Document, size: int, group: str) -> None:
        """Take a document into account."""
        place = position(group, self._start)
        if place >= self._bound:
            return
        if group not in self._groups:
            heapq.heappush(self._last, (-place, group))
        self._groups.setdefault(group, []).append(document)
        self._sizes[group] = self._sizes.get(group, 0) + size
        self._bytes += size
        while self._full():
            self._bound, last = -self._last[0][0], heapq.heappop(self._last)[1]
            del self._groups[last]
            self._bytes -= self._sizes.pop(last)

    def _full(self) -> bool:
        if len(self._groups) <= _LEAST_GROUPS or self._bytes <= 4 * LEAST_BYTES:
            return False
        return -self._last[0][0] >= self._share or self._bytes > self._most

    def write(self, out: Path) -> None:
        """Write the candidates, sorted by group, into the folder of a unit."""
        stubs: list[tuple[str, int, int, str]] = []
        with Rows(out / f"candidates.{DOCUMENTS}", level=1) as file:
            for group in sorted(self._groups):
                for document in self._groups[group]:
                    stubs.append((document.id, document.bytes, text_key(document.text), group))
                    file.write(to_row(document))
        write_atomic(out / STUBS, json.dumps(stubs))


def choose_held_out(
    stubs: Sequence[Stub], share: float, most_bytes: float, whole: tuple[int, int] | None = None, start: float = 0.0
) -> frozenset[str]:
    """Return the ids of the held-out documents. The answer depends on ids, groups, lengths and texts only.

    Groups are visited by the hash of their name (a document alone is its own group). A group is held out

    - if its hash lies below ``share`` of the range of hashes, or
    - while fewer than 20 documents or 50 kB are held out, as long as it is at most a tenth of documents and bytes;
    - but never beyond ``most_bytes`` or a tenth of all bytes (a share above a tenth counts instead): a group that
      does not fit is passed over and trained on.

    If nothing fits, the smallest group is held out where it is at most half of the text. A document that reads
    the same as one held out is not held out again.

    Args:
        stubs: the candidates.
        share: of the groups.
        most_bytes: to hold out.
        whole: documents and bytes of the whole corpus; by default those of ``stubs``.
        start: where in the range of hashes it begins.
    """
    groups: dict[str, list[Stub]] = {}
    for stub in sorted(stubs, key=lambda stub: stub.id):
        groups.setdefault(stub.group, []).append(stub)
    if share <= 0 or len(groups) < 2:
        return frozenset()
    sizes = {name: sum(stub.bytes for stub in group) for name, group in groups.items()}
    all_documents, all_bytes = whole or (len(stubs), sum(sizes.values()))
    ceiling = min(most_bytes, max(share, 1 / _LARGEST_SHARE) * all_bytes)
    chosen: dict[int, str] = {}  # key of the text -> id
    held_bytes = 0
    for place, name in sorted((position(name, start), name) for name in groups):
        fresh = list({stub.key: stub for stub in reversed(groups[name]) if stub.key not in chosen}.values())
        size = sum(stub.bytes for stub in groups[name] if stub.key not in chosen)
        below = len(chosen) < LEAST_DOCUMENTS or held_bytes < LEAST_BYTES
        affordable = len(chosen) + len(fresh) <= max(1, all_documents // _LARGEST_SHARE)
        if place >= share and not below:
            break
        if fresh and held_bytes + size <= ceiling and (place < share or affordable):
            chosen |= {stub.key: stub.id for stub in fresh}
            held_bytes += size
    smallest = min(groups, key=lambda name: (sizes[name], position(name, start), name))
    if not chosen and 2 * sizes[smallest] <= all_bytes:
        chosen = {stub.key: stub.id for stub in reversed(groups[smallest])}
    return frozenset(chosen.values())


def _bound(stubs: Sequence[Stub], most: float, start: float) -> float:
    """Return the position from which on no group can be wanted: so many come before it."""
    sizes: dict[str, int] = {}
    for stub in stubs:
        sizes[stub.group] = sizes.get(stub.group, 0) + stub.bytes
    held = 0
    for count, (place, name) in enumerate(sorted((position(name, start), name) for name in sizes)):
        if count > _LEAST_GROUPS and held > max(most, 4 * LEAST_BYTES):
            return place
        held += sizes[name]
    return 1.0


def hold_out(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write the held-out documents of all splits as they were read; ``inputs`` are the splits."""
    del watch
    stubs: list[Stub] = []
    bound, start = 1.0, settings["start"]
    for unit in inputs:
        found = [Stub(*given) for given in json.loads((unit / STUBS).read_text(encoding="utf-8"))]
        stubs += [stub for stub in found if position(stub.group, start) < bound]
        if len(stubs) > _MOST_STUBS:
            bound = _bound(stubs, 4 * settings["most_bytes"], start)
            stubs = [stub for stub in stubs if position(stub.group, start) < bound]
    whole = (settings["documents"], settings["bytes"])
    ids = choose_held_out(stubs, settings["share"], settings["most_bytes"], whole, start)
    counts: dict[str, list[int]] = {}
    with Rows(out / DOCUMENTS) as file:
        for unit in inputs:
            for document in documents(unit / f"candidates.{DOCUMENTS}"):
                if document.id in ids:
                    file.write(to_row(document))
                    count = counts.setdefault(document.source, [0, 0])
                    counts[document.source] = [count[0] + 1, count[1] + document.bytes]
    return {"held_out": counts}


@final
@dataclass(frozen=True, slots=True)
class HeldText:
    """What training text must not repeat."""

    ids: frozenset[str]
    """ids of all held-out documents."""
    keys: dict[int, str]
    """ids by the keys of their texts: as they were read, and after each run of steps."""
    unfit: frozenset[str]
    """ids of those that a filter would drop; they are held out all the same."""


def pass_held_out(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write the held-out documents as a run of steps leaves them, and the keys of all their texts so far.

    The input is the unit that holds them, or the unit after the run of steps before. Like the text to train on, they go
    through every edit and filter, so that they can be compared with it wherever it is compared; but none is dropped.
    """
    del watch
    run = RunOfSteps(settings["steps"])
    before = read_held_text(inputs[0]) if (inputs[0] / KEYS).is_file() else HeldText(frozenset(), {}, frozenset())
    keys, ids, unfit = dict(before.keys), set(before.ids), set(before.unfit)
    with Rows(out / DOCUMENTS, level=1) as file:
        for document in documents(inputs[0] / DOCUMENTS):
            ids.add(document.id)
            keys.setdefault(text_key(document.text), document.id)
            passed = run(document)
            if passed.reasons:
                unfit.add(document.id)
            if has_text(passed.document.text):  # what an edit leaves nothing of is like nothing else
                keys.setdefault(text_key(passed.document.text), document.id)
            else:
                passed.document = document
            file.write(to_row(passed.document))
    plain = {"ids": sorted(ids), "keys": {f"{key:032x}": id for key, id in keys.items()}, "unfit": sorted(unfit)}
    write_atomic(out / KEYS, json.dumps(plain), durable=False)
    return {"documents": len(ids), "unfit": len(unfit)}


def read_held_text(unit: Path) -> HeldText:
    """Return what a unit of ``pass_held_out`` wrote."""
    given = json.loads((unit / KEYS).read_text(encoding="utf-8"))
    keys = {int(key, 16): id for key, id in given["keys"].items()}
    return HeldText(frozenset(given["ids"]), keys, frozenset(given["unfit"]))
