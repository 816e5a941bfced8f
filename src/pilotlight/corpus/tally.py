"""Counts what becomes of every record while a corpus is built."""

from __future__ import annotations

from collections import Counter
from typing import final

from pilotlight.corpus.facts import Amount, CorpusFacts, SourceFacts
from pilotlight.corpus.inventory import Shelf

_Key = tuple[str, ...]


@final
class Tally:
    """Counts of documents and bytes by source and fate."""

    def __init__(self) -> None:
        self._documents: Counter[_Key] = Counter()
        self._bytes: Counter[_Key] = Counter()
        self.edited: Counter[str] = Counter()
        self.quarantined: Counter[tuple[str, str]] = Counter()

    def add(self, source: str, bytes: int, *fate: str) -> None:
        """Count one document of ``source`` that was read, kept for a split, or dropped by a step for a reason."""
        self._documents[(source, *fate)] += 1
        self._bytes[(source, *fate)] += bytes

    def amount(self, *fate: str, source: str | None = None) -> Amount:
        """Return how much text met this fate (or one that begins so), in one source or all."""
        keys = [key for key in self._documents if key[1 : 1 + len(fate)] == fate and source in (None, key[0])]
        return Amount(documents=sum(self._documents[key] for key in keys), bytes=sum(self._bytes[key] for key in keys))

    def dropped(self) -> dict[str, dict[str, Amount]]:
        """Return the dropped text by step and reason, both sorted."""
        pairs = sorted({(key[2], key[3]) for key in self._documents if key[1] == "dropped"})
        found: dict[str, dict[str, Amount]] = {}
        for step, reason in pairs:
            found.setdefault(step, {})[reason] = self.amount("dropped", step, reason)
        return found

    def _set_aside(self, source: str | None = None) -> dict[str, int]:
        found: Counter[str] = Counter()
        for (name, reason), count in sorted(self.quarantined.items()):
            if source in (None, name):
                found[reason] += count
        return dict(sorted(found.items()))

    def facts(self, shelves: list[Shelf]) -> CorpusFacts:
        """Return the counts as they go into the manifest."""
        sources = {
            shelf.source.title: SourceFacts(
                kind=shelf.source.kind, files=len(shelf.files), passed_over=shelf.passed_over,
                read=self.amount("read", source=shelf.source.title),
                train=self.amount("train", source=shelf.source.title),
                held_out=self.amount("held_out", source=shelf.source.title),
                dropped=self.amount("dropped", source=shelf.source.title),
                quarantined=self._set_aside(shelf.source.title),
            )
            for shelf in shelves
        }  # fmt: skip
        return CorpusFacts(
            records=self.amount("read").documents + self.quarantined.total(),
            train=self.amount("train"), held_out=self.amount("held_out"), dropped=self.dropped(),
            quarantined=self._set_aside(), edited=dict(sorted(self.edited.items())), sources=sources,
        )  # fmt: skip
