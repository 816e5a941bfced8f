"""Adds up what the units of a build counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pilotlight.corpus.facts import Amount, CorpusFacts, SourceFacts
from pilotlight.corpus.inventory import Shelf

_Counts = Mapping[str, Sequence[int]]


def _added(counts: Iterable[_Counts]) -> dict[str, Amount]:
    """Return the sums of ``{name: [documents, bytes]}``, by name."""
    documents: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for count in counts:
        for name, (number, size) in count.items():
            documents[name] += number
            sizes[name] += size
    return {name: Amount(documents=documents[name], bytes=sizes[name]) for name in sorted(documents)}


def _whole(amounts: Iterable[Amount]) -> Amount:
    known = list(amounts)
    return Amount(documents=sum(item.documents for item in known), bytes=sum(item.bytes for item in known))


def _set_aside(read: Sequence[Mapping[str, Any]], source: str | None = None) -> dict[str, int]:
    found: Counter[str] = Counter()
    for item in read:
        for name, reasons in item["quarantined"].items():
            if source in (None, name):
                found.update(reasons)
    return dict(sorted(found.items()))


def _dropped(segments: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Amount]]:
    """Return the dropped text by step and reason, both sorted."""
    steps: dict[str, list[_Counts]] = {}
    for segment in segments:
        for reasons in segment["dropped"].values():
            for step, counts in reasons.items():
                steps.setdefault(step, []).append(counts)
    return {step: _added(counts) for step, counts in sorted(steps.items())}


def corpus_facts(
    shelves: Sequence[Shelf],
    read: Sequence[Mapping[str, Any]],
    held_out: _Counts,
    segments: Sequence[Mapping[str, Any]],
    last: Sequence[Mapping[str, Any]],
) -> CorpusFacts:
    """Return the counts of a corpus from the facts of the units that read, held out and processed it.

    Args:
        shelves: the sources with their files.
        read: of the units that read.
        held_out: documents and bytes by source.
        segments: of all units of all segments.
        last: of the units of the last segment.
    """
    entered = _added({name: (count, item["bytes"][name]) for name, count in item["documents"].items()} for item in read)
    kept, held = _added(item["left"] for item in last), _added([held_out])
    lost: dict[str, list[_Counts]] = {}
    edited: Counter[str] = Counter()
    for segment in segments:
        edited.update(segment["edited"])
        for name, steps in segment["dropped"].items():
            lost.setdefault(name, []).extend(steps.values())
    sources = {
        shelf.source.title: SourceFacts(
            kind=shelf.source.kind, files=len(shelf.files), passed_over=shelf.passed_over,
            read=entered.get(shelf.source.title, Amount()), train=kept.get(shelf.source.title, Amount()),
            held_out=held.get(shelf.source.title, Amount()),
            dropped=_whole(_added(lost.get(shelf.source.title, ())).values()),
            quarantined=_set_aside(read, shelf.source.title),
        )
        for shelf in shelves
    }  # fmt: skip
    aside = _set_aside(read)
    return CorpusFacts(
        records=_whole(entered.values()).documents + sum(aside.values()), train=_whole(kept.values()),
        held_out=_whole(held.values()), dropped=_dropped(segments), quarantined=aside,
        edited=dict(sorted(edited.items())), sources=sources,
    )  # fmt: skip
