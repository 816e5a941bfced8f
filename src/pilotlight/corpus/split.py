"""Which documents are held out: decided over raw text by the hash of ids, before any processing step."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

import xxhash

LEAST_DOCUMENTS = 20
LEAST_BYTES = 50_000
_LARGEST_SHARE = 10  # a small corpus holds out at most a tenth to reach the least


@final
@dataclass(frozen=True, slots=True)
class Stub:
    """What is kept in memory of a raw document."""

    id: str
    bytes: int
    key: int
    """Equal for texts that read the same, see ``text_key``."""
    group: str
    """Documents of one group go to the same side; the id where a document stands alone."""


@final
@dataclass(frozen=True, slots=True)
class HeldOut:
    """The held-out documents, and the raw documents that repeat one of them."""

    ids: frozenset[str]
    twins: dict[str, str]
    """id of a repeated document -> id of the held-out document it repeats."""


def position(group: str) -> float:
    """Return where a group stands in the fixed order of holding out, between 0 and 1."""
    return xxhash.xxh3_64_intdigest(b"held out\0" + group.encode()) / 2**64


def choose_held_out(documents: Iterable[Stub], share: float, most_bytes: float) -> HeldOut:
    """Return which raw documents are held out. The answer depends on ids, groups, lengths and texts only.

    Groups are visited by the hash of their name (a document alone is its own group). A group is held out

    - if its hash lies below ``share`` of the range of hashes, or
    - while fewer than 20 documents or 50 kB are held out, as long as it is at most a tenth of documents and bytes;
    - but never beyond ``most_bytes`` or a tenth of all bytes (a share above a tenth counts instead): a group that
      does not fit is passed over and trained on.

    If nothing fits, the smallest group is held out where it is at most half of the text. A document that reads
    the same as one held out is neither held out again nor trained on.
    """
    stubs = sorted(documents, key=lambda stub: stub.id)
    groups: dict[str, list[Stub]] = {}
    for stub in stubs:
        groups.setdefault(stub.group, []).append(stub)
    if share <= 0 or len(groups) < 2:
        return HeldOut(frozenset(), {})
    chosen = _chosen(groups, share, most_bytes)
    owner: dict[int, str] = {}
    for group in chosen:
        for stub in groups[group]:
            owner.setdefault(stub.key, stub.id)
    ids = frozenset(owner.values())
    twins = {stub.id: owner[stub.key] for stub in stubs if stub.key in owner and stub.id not in ids}
    return HeldOut(ids, twins)


def _chosen(groups: dict[str, list[Stub]], share: float, most_bytes: float) -> Sequence[str]:
    """Return the names of the groups to hold out, in the order of their hashes."""
    sizes = {name: sum(stub.bytes for stub in group) for name, group in groups.items()}
    all_bytes, all_documents = sum(sizes.values()), sum(map(len, groups.values()))
    ceiling = min(most_bytes, max(share, 1 / _LARGEST_SHARE) * all_bytes)
    chosen: list[str] = []
    seen: set[int] = set()
    held_bytes = held_documents = 0
    for place, name in sorted((position(name), name) for name in groups):
        fresh = [stub for stub in groups[name] if stub.key not in seen]
        size = sum(stub.bytes for stub in fresh)
        below = held_documents < LEAST_DOCUMENTS or held_bytes < LEAST_BYTES
        affordable = held_documents + len(fresh) <= max(1, all_documents // _LARGEST_SHARE)
        if place >= share and not below:
            break
        if fresh and held_bytes + size <= ceiling and (place < share or affordable):
            chosen.append(name)
            seen.update(stub.key for stub in fresh)
            held_bytes, held_documents = held_bytes + size, held_documents + len(fresh)
    smallest = min(groups, key=lambda name: (sizes[name], position(name), name))
    if not chosen and 2 * sizes[smallest] <= all_bytes:
        return [smallest]
    return chosen
