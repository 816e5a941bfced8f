"""Reading one split: its documents, what could not be read, and which of them may be held out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from pilotlight.corpus.document import Document, document_id, has_text
from pilotlight.corpus.held_out import Candidates
from pilotlight.corpus.pile import DOCUMENTS
from pilotlight.corpus.source import Cut, Input, Raw, Source, Unreadable
from pilotlight.corpus.store import Rows, to_row
from pilotlight.errors import DataError, RecordError
from pilotlight.events import Watcher

QUARANTINE = "quarantine.jsonl"


def read(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Write the documents of one split, those that may be held out once more, and the records set aside."""
    del inputs, watch
    sources: dict[str, Source] = {name: Source.choose(given) for name, given in settings["sources"].items()}
    candidates = Candidates(settings["share"], settings["most_bytes"], settings["start"])
    with Rows(out / DOCUMENTS, level=1) as kept, Rows(out / QUARANTINE) as aside:
        reading = _Reading(kept, aside, candidates)
        for part in settings["parts"]:
            file = Input.from_json(part["input"])
            _refuse_changed(file, part["identity"])
            for record in sources[part["source"]].read(file, Cut.model_validate(part["cut"])):
                reading.take(part["source"], file.relative, _checked(record))
            _refuse_changed(file, part["identity"])
    candidates.write(out)
    return reading.facts()


def _refuse_changed(file: Input, identity: Any) -> None:
    """Return if a file is what it was when it was looked at.

    Raises:
        DataError: it has changed since.
    """
    if json.loads(json.dumps(file.identity())) != identity:
        raise DataError(f"{file.path} changed while the corpus was built from it. Run the same command again.")


def _checked(record: Raw | Unreadable) -> Raw | Unreadable:
    """Return the record, or why its text is none."""
    if isinstance(record, Raw):
        if not has_text(record.text):
            return Unreadable(record.record, "no text", "it is empty, or holds white space and control characters only")
        try:
            record.text.encode()
        except UnicodeEncodeError as error:
            return Unreadable(record.record, "broken Unicode", f"half a surrogate pair at character {error.start}")
    return record


@final
@dataclass
class _Reading:
    """Takes records: documents into one file, what cannot be read into another."""

    kept: Rows
    aside: Rows
    candidates: Candidates
    documents: Counter[str] = field(default_factory=Counter[str])
    bytes: Counter[str] = field(default_factory=Counter[str])
    quarantined: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    damaged: dict[str, Counter[str]] = field(default_factory=dict[str, Counter[str]])
    """Those of the quarantined that a user would want to know about."""
    first_unreadable: dict[str, str] = field(default_factory=dict[str, str])
    _ids: set[str] = field(default_factory=set[str])

    def take(self, source: str, relative: str, record: Raw | Unreadable) -> None:
        id = document_id(source, relative, record.record)
        origin = f"{relative}#{record.record}"
        if id in self._ids:
            raise RecordError(f"{source}: the record {origin} was read twice; a source has to number its records.")
        self._ids.add(id)
        if isinstance(record, Unreadable):
            self.quarantined.setdefault(source, Counter())[record.reason] += 1
            if not record.ordinary:
                self.damaged.setdefault(source, Counter())[record.reason] += 1
            self.first_unreadable.setdefault(source, f"{source}: {origin}: {record.reason} ({record.detail})")
            self.aside.write(
                {"id": id, "source": source, "origin": origin, "reason": record.reason, "detail": record.detail}
            )
            return
        group = {"group": record.group} if record.group else {}
        document = Document(record.text, id, source, origin, {"content": record.content, **group, **record.facts})
        size = document.bytes
        self.documents[source] += 1
        self.bytes[source] += size
        self.candidates.add(document, size, record.group or id)
        self.kept.write(to_row(document))

    def facts(self) -> dict[str, Any]:
        return {
            "documents": dict(sorted(self.documents.items())), "bytes": dict(sorted(self.bytes.items())),
            "quarantined": _sorted(self.quarantined), "damaged": _sorted(self.damaged),
            "first_unreadable": self.first_unreadable,
        }  # fmt: skip


def _sorted(counts: dict[str, Counter[str]]) -> dict[str, dict[str, int]]:
    return {name: dict(sorted(found.items())) for name, found in sorted(counts.items())}
