"""A finished corpus on disk: its documents, its counts, and why each record is where it is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, final

from pilotlight.corpus.document import Document
from pilotlight.corpus.facts import CorpusFacts
from pilotlight.corpus.store import documents, excerpt, raw_rows
from pilotlight.errors import DataError
from pilotlight.manifest import Manifest, read_manifest
from pilotlight.spec import Record
from pilotlight.units import show_bytes

Split = Literal["train", "held_out"]
Fate = Literal["train", "held_out", "dropped", "quarantined"]
FILES: dict[Fate, str] = {
    "train": "train.jsonl.zst", "held_out": "held_out.jsonl.zst",
    "dropped": "dropped.jsonl.zst", "quarantined": "quarantine.jsonl",
}  # fmt: skip
_MOST_MATCHES = 5


class Explanation(Record):
    """What became of one record and why."""

    id: str
    fate: Fate
    source: str
    origin: str
    step: str = ""
    """Step that dropped it; empty where it was kept."""
    reason: str = ""
    twin: str = ""
    """id of the document that stays in its place, where it was dropped as a duplicate."""
    similarity: float | None = None
    excerpt: str = ""
    """Beginning of the text."""

    def __str__(self) -> str:
        """Return the explanation as sentences."""
        where = f"{self.id} ({self.source}: {self.origin})"
        if self.fate == "train":
            return f"{where} is trained on: no step dropped it."
        if self.fate == "held_out":
            return f"{where} is held out: the hash of its id chose it before any step ran; it is kept as it was read."
        if self.fate == "quarantined":
            return f"{where} could not be read and is quarantined: {self.reason}."
        twin = f" The document that stays is {self.twin}." if self.twin else ""
        return f"{where} was dropped by {self.step}: {self.reason}.{twin}"


@final
class Corpus:
    """A finished corpus in a folder; open it with ``Corpus.open``."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest
        self.facts = CorpusFacts.model_validate(manifest.facts)

    @classmethod
    def open(cls, folder: Path, *, verify: bool = False) -> Corpus:
        """Return the corpus in ``folder``; ``verify`` checks the hash of every file first.

        Raises:
            RecordError: the folder is unfinished, is no corpus, or was damaged.
        """
        return cls(folder, read_manifest(folder, "corpus", verify=verify))

    @property
    def fingerprint(self) -> str:
        """16 hex digits that identify the recipe and the content of everything it read."""
        return self.manifest.fingerprint

    def documents(self, split: Split) -> Iterator[Document]:
        """Return the documents of a split, always in the same order.

        Raises:
            RecordError: the file is damaged.
        """
        yield from documents(self.folder / FILES[split])

    def why(self, id: str) -> Explanation:
        """Return what became of the record whose id is or begins with ``id``, or whose origin is ``id``.

        Raises:
            DataError: no record has that id or origin, or several do.
        """
        wanted = id.strip()
        found = list(self._search(wanted)) if wanted else []
        if not found:
            raise DataError(
                f"{self.folder} holds no record {id!r}. Expected the first digits of an id, or an origin such as "
                f"notes.txt#1, as they stand in {FILES['dropped']} or {FILES['train']}."
            )
        if len(found) > 1:
            shown = ", ".join(f"{match.id} ({match.source}: {match.origin})" for match in found[:_MOST_MATCHES])
            more = ", ..." if len(found) > _MOST_MATCHES else ""
            raise DataError(f"{id!r} means more than one record of {self.folder}: {shown}{more}. Give more digits.")
        return found[0]

    def _search(self, wanted: str) -> Iterator[Explanation]:
        starts, origin = f'{{"id":"{wanted}'.encode(), f'"origin":{json.dumps(wanted, ensure_ascii=False)}'.encode()
        for fate, name in FILES.items():
            for line in raw_rows(self.folder / name):
                if line.startswith(starts) or origin in line:
                    row: dict[str, Any] = json.loads(line)
                    if row["id"].startswith(wanted) or row["origin"] == wanted:
                        yield _explained(fate, row)

    def show(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Return what became of the text as a table for people: titles of the columns, and rows."""
        whole = sum(facts.read.bytes for facts in self.facts.sources.values())
        lines = [("read", "", *_shown(sum(item.read.documents for item in self.facts.sources.values()), whole, whole))]
        for fate, amount in (("train", self.facts.train), ("held out", self.facts.held_out)):
            lines.append((fate, "", *_shown(amount.documents, amount.bytes, whole)))
        for step, reasons in self.facts.dropped.items():
            for reason, amount in reasons.items():
                lines.append((f"dropped by {step}", reason, *_shown(amount.documents, amount.bytes, whole)))
        for reason, count in self.facts.quarantined.items():
            lines.append(("quarantined", reason, str(count), "", ""))
        return ("what", "reason", "documents", "bytes", "share"), lines

    def show_sources(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Return what became of each source as a table for people: titles of the columns, and rows."""
        lines = [
            (
                name, facts.kind, str(facts.files), f"{facts.read.documents} ({show_bytes(facts.read.bytes)})",
                f"{facts.train.documents} ({show_bytes(facts.train.bytes)})",
                f"{facts.held_out.documents} ({show_bytes(facts.held_out.bytes)})",
                f"{facts.dropped.documents} ({show_bytes(facts.dropped.bytes)})", str(sum(facts.quarantined.values())),
            )
            for name, facts in self.facts.sources.items()
        ]  # fmt: skip
        return ("source", "kind", "files", "read", "train", "held out", "dropped", "quarantined"), lines


def _shown(documents: int, bytes: int, whole: int) -> tuple[str, str, str]:
    return str(documents), show_bytes(bytes), f"{100 * bytes / max(whole, 1):.1f} %"


def _explained(fate: Fate, row: dict[str, Any]) -> Explanation:
    given = {key: row[key] for key in ("step", "reason", "twin", "similarity", "excerpt") if row.get(key) is not None}
    if fate == "quarantined":
        given["reason"] = f"{row['reason']} ({row['detail']})" if row["detail"] else row["reason"]
    if "text" in row:
        given["excerpt"] = excerpt(row["text"])
    return Explanation(id=row["id"], fate=fate, source=row["source"], origin=row["origin"], **given)
