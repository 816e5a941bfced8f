"""A run of edits and filters over one split, between two steps that compare documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from pilotlight.corpus.document import Document, has_text
from pilotlight.corpus.held_out import HeldText, read_held_text
from pilotlight.corpus.pile import DOCUMENTS, Decision, read_decisions
from pilotlight.corpus.run_of_steps import NOTHING_LEFT, RunOfSteps
from pilotlight.corpus.sameness import text_key
from pilotlight.corpus.store import Rows, excerpt, rows, to_row
from pilotlight.corpus.view import Value, Values
from pilotlight.events import Watcher

DROPPED = "dropped.jsonl.zst"
VALUES = "values.jsonl.zst"
HELD_OUT = "held_out"
REPEATS = "repeats"
"""Fact of a document that is to be trained on more than once in an epoch, from the value of a step of this name."""


def process(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write what one segment leaves of a split, what it drops, and what it measured on every document.

    ``inputs`` are the split before, the held-out documents after the same segment, and the decisions of the comparing
    step before it where there is one.
    """
    del watch
    decisions = read_decisions(inputs[2]) if len(inputs) > 2 else {}
    with (
        Rows(out / DOCUMENTS, settings["level"]) as kept,
        Rows(out / DROPPED) as dropped,
        Rows(out / VALUES, 1) as values,
    ):
        segment = _Segment(settings, decisions, read_held_text(inputs[1]), kept, dropped, values)
        for row in rows(inputs[0] / DOCUMENTS):
            segment.take(row)
    return segment.tally.facts()


@final
@dataclass
class Tally:
    """Counts of what a segment did."""

    left: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    dropped: dict[str, dict[str, dict[str, list[int]]]] = field(default_factory=dict[str, Any])
    edited: Counter[str] = field(default_factory=Counter[str])
    columns: dict[str, str] = field(default_factory=dict[str, str])
    first_failure: str = ""

    def keep(self, source: str, size: int) -> None:
        """Count a document that is left."""
        count = self.left.setdefault(source, [0, 0])
        count[0] += 1
        count[1] += size

    def drop(self, source: str, step: str, reason: str, size: int) -> None:
        """Count a dropped document by what stands before the colon of its reason."""
        reasons = self.dropped.setdefault(source, {}).setdefault(step, {})
        count = reasons.setdefault(reason.partition(":")[0], [0, 0])
        count[0] += 1
        count[1] += size

    def facts(self) -> dict[str, Any]:
        """Return the counts for the manifest of the unit."""
        return {
            "left": dict(sorted(self.left.items())), "dropped": dict(sorted(self.dropped.items())),
            "edited": dict(sorted(self.edited.items())), "columns": dict(sorted(self.columns.items())),
            "first_failure": self.first_failure,
        }  # fmt: skip


@final
class _Segment:
    def __init__(
        self,
        settings: dict[str, Any],
        decisions: dict[str, Decision],
        held: HeldText,
        kept: Rows,
        dropped: Rows,
        values: Rows,
    ) -> None:
        self._run = RunOfSteps(settings["steps"])
        self._barrier: str = settings["barrier"]
        self._selects: bool = settings["selects"]
        self._first: bool = settings["first"]
        self._last: bool = settings["last"]
        self._decisions, self._held_keys = decisions, held.keys
        self._held_ids = held.ids if self._first else frozenset[str]()
        self._kept, self._dropped, self._values = kept, dropped, values
        self._names: dict[str, dict[str, str]] = {}
        self.tally = Tally()

    def take(self, row: dict[str, Any]) -> None:
        """Put one document through the segment."""
        document = Document(row["text"], row["id"], row["source"], row["origin"], row["facts"])
        if document.id in self._held_ids:
            return
        size: int = row.get("read") or document.bytes
        told: dict[str, Any] = {"id": document.id}
        if self._first:
            content = document.facts["content"]
            told |= {"source": document.source, "origin": document.origin, "content": content, "read": size}
        self._decide(document, size, bool(row.get("edited")), told)
        self._values.write(told)

    def _decide(self, document: Document, size: int, edited: bool, told: dict[str, Any]) -> None:
        """Drop or keep one document; ``told`` takes its fate and what was measured."""
        if self._first and self._repeats_held_out(document, size, told):
            return
        decision = self._decisions.get(document.id)
        told |= self._columns(self._barrier, (decision.values if decision else None) or {})
        if decision is not None and decision.drop:
            self._drop(document, size, (self._barrier, decision.drop), told, decision)
            return
        if decision is not None and decision.cuts:
            self.tally.edited[self._barrier] += 1
        passed, reasons = self._passed(_without(document, decision), told)
        if reasons:
            self._drop(passed, size, reasons[0], told)
            return
        edited = edited or passed.text != document.text
        if self._last and edited and self._repeats_held_out(passed, size, told):
            return
        left = passed.bytes if self._last else size
        self.tally.keep(passed.source, left)
        if self._last:
            told |= {"fate": "train", "bytes": left}
        # What was read has to be counted in the end, however much was edited; the key of the text may be another.
        self._kept.write(to_row(passed) | ({"read": size, "edited": True} if edited and not self._last else {}))

    def _columns(self, step: str, values: Values) -> dict[str, Value]:
        known = self._names.setdefault(step, {})
        for name in values.keys() - known.keys():
            known[name] = f"{step}.{name}"
            self.tally.columns[known[name]] = "text" if isinstance(values[name], str) else "number"
        return {known[name]: value for name, value in values.items()}

    def _passed(self, document: Document, told: dict[str, Any]) -> tuple[Document, list[tuple[str, str]]]:
        """Return the document after the steps of the segment, and the reasons to drop it, the first first."""
        if not has_text(document.text):
            return document, [(self._barrier, NOTHING_LEFT)]
        found = self._run(document)
        for step, values in found.values.items():
            told |= self._columns(step, values)
        self.tally.edited.update(found.edited)
        self.tally.first_failure = self.tally.first_failure or found.failure
        return found.document, found.reasons

    def _repeats_held_out(self, document: Document, size: int, told: dict[str, Any]) -> bool:
        """Drop a document that reads the same as a held-out one, raw or edited; return whether it does."""
        twin = self._held_keys.get(text_key(document.text)) if self._held_keys else None
        if twin is None:
            return False
        because = Decision(document.id, twin=twin, similarity=1.0)
        self._drop(document, size, (HELD_OUT, "repeats held-out text"), told, because)
        return True

    def _drop(
        self,
        document: Document,
        size: int,
        why: tuple[str, str],
        told: dict[str, Any],
        because: Decision | None = None,
    ) -> None:
        step, reason = why
        self.tally.drop(document.source, step, reason, size)
        # A copy of a text that stays is not kept, nor what a sample leaves out; what else was dropped can be read.
        brief = because is not None and (because.similarity == 1.0 or self._selects)
        told |= {"fate": "dropped", "step": step, "reason": reason}
        if because is not None:
            told |= {"twin": because.twin or None, "similarity": because.similarity}
        self._dropped.write({
            "id": document.id, "source": document.source, "origin": document.origin, "step": step, "reason": reason,
            "twin": told.get("twin"), "similarity": told.get("similarity"), "bytes": size,
            "text": excerpt(document.text) if brief else document.text,
        })  # fmt: skip


def _without(document: Document, decision: Decision | None) -> Document:
    """Return the document without the spans that its decision cuts, and with how often it is to be repeated."""
    if decision is None:
        return document
    text = "".join(_left(document.text, decision.cuts)) if decision.cuts else document.text
    repeats = (decision.values or {}).get("repeats", 1)
    times = int(repeats) * int(document.facts.get(REPEATS, 1))
    facts = {**document.facts, REPEATS: times} if times > 1 else document.facts
    return Document(text, document.id, document.source, document.origin, facts)


def _left(text: str, cuts: Sequence[tuple[int, int, str]]) -> Iterator[str]:
    at = 0
    for start, end, _ in cuts:
        yield text[at:start]
        at = max(at, end)
    yield text[at:]
