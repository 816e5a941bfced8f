"""A finished corpus on disk: its documents, its counts, and why each record is where it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, final

from pilotlight.corpus.document import Document
from pilotlight.corpus.facts import CorpusFacts
from pilotlight.corpus.store import documents
from pilotlight.errors import RecordError
from pilotlight.manifest import Manifest, read_manifest
from pilotlight.units import show_bytes

Split = Literal["train", "held_out"]
Fate = Literal["train", "held_out", "dropped", "quarantined"]
FOLDERS = {
    "train": ".jsonl.zst", "dropped": ".jsonl.zst", "quarantined": ".jsonl", "records": ".parquet",
}  # fmt: skip
"""Folders of a corpus, and the ending of the files in them: one for each split."""
HELD_OUT_FILE = "held_out.jsonl.zst"


def shard(kind: str, number: int) -> str:
    """Return the path inside a corpus of one file of ``train``, ``dropped``, ``quarantined`` or ``records``."""
    return f"{kind}/{number:05d}{FOLDERS[kind]}"


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
        manifest = read_manifest(folder, "corpus", verify=verify)
        for name, record in manifest.files.items():
            path = folder / name
            size = path.stat().st_size if path.is_file() else None
            if size != record.bytes:
                what = "is missing" if size is None else f"has {size} bytes, expected {record.bytes}"
                raise RecordError(f"{path} {what}. Remove {folder} and build the corpus again.")
        return cls(folder, manifest)

    @property
    def fingerprint(self) -> str:
        """16 hex digits that identify the recipe and the content of everything it read."""
        return self.manifest.fingerprint

    def documents(self, split: Split) -> Iterator[Document]:
        """Return the documents of a split, always in the same order.

        Raises:
            RecordError: the file is damaged.
        """
        for path in self.files(split):
            yield from documents(path)

    def files(self, fate: Fate) -> list[Path]:
        """Return the files that hold the text with this fate, in order."""
        if fate == "held_out":
            return [self.folder / HELD_OUT_FILE]
        return sorted((self.folder / fate).glob(f"*{FOLDERS[fate]}"))

    def tables(self) -> list[Path]:
        """Return the Parquet files with a row for every record: first the held-out documents, then by split."""
        return sorted((self.folder / "records").glob("*.parquet"))

    def show(self) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Return what became of the text as a table for people: titles of the columns, and rows."""
        whole = sum(facts.read.bytes for facts in self.facts.sources.values())
        lines = [("read", "", *_shown(sum(item.read.documents for item in self.facts.sources.values()), whole, whole))]
        for fate, amount in (("train", self.facts.train), ("held out", self.facts.held_out)):
            lines.append((fate, "", *_shown(amount.documents, amount.bytes, whole)))
        for step, count in self.facts.edited.items():
            if count:
                lines.append((f"edited by {step}", "", str(count), "", ""))
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
