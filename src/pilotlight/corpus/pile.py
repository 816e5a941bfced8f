"""The documents that are left before a step that compares them, and the means to go over them in units of work."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import xxhash

from pilotlight.corpus.document import Document
from pilotlight.corpus.store import Rows, documents, rows
from pilotlight.manifest import read_manifest
from pilotlight.work.flow import Flow, Task

DOCUMENTS = "documents.jsonl.zst"
DECISIONS = "decisions.jsonl.zst"


@final
@dataclass(frozen=True, slots=True)
class Decision:
    """What a step that compares documents wants done to one of them; documents without one stay as they are."""

    id: str
    drop: str = ""
    """Why the document has to go, as ``rule`` or ``rule: what was found``; empty: it stays."""
    twin: str = ""
    """id of the document that stays in its place, or name of the benchmark item that it holds."""
    similarity: float | None = None
    """How alike the two are, from 0 to 1."""
    cuts: tuple[tuple[int, int, str], ...] = ()
    """Spans of characters to cut out of the text, each with the id of the document that keeps them; sorted."""
    values: dict[str, Any] | None = None
    """What was measured, by column of the step."""


@final
@dataclass(frozen=True, slots=True)
class Pile:
    """Documents in splits: the folders of finished units of work, each with a file of documents.

    A step goes over the splits with ``run``, one unit per split or per partition of keys, and ends with one folder
    per split that holds its decisions. Nothing may depend on the order in which units finish, and no unit may need
    memory for more than a split (or one partition of what the splits emitted).
    """

    flow: Flow
    step: str
    """Name of the step: the first part of the names of its stages."""
    splits: tuple[Path, ...]
    fixed: Path | None = None
    """A folder like a split with the held-out documents: they always stay, and what is like them has to go."""

    def run(self, stage: str, call: str, tasks: Sequence[tuple[Sequence[Path], dict[str, Any]]]) -> list[Path]:
        """Return the folders of the finished units of a stage, one for each of ``tasks``, in their order.

        A task is what a unit reads (folders of finished units) and its settings (JSON). ``call`` is
        ``"module:function"``; the function is called as ``function(out, inputs, settings, watch)`` in any process on
        any machine: it writes files into the folder ``out`` and returns facts (JSON), which ``facts`` gives back. The
        same call, inputs and settings must give the same bytes; a unit that is there already is not done again.
        """
        return self.flow.run(f"{self.step}.{stage}", [Task(call, tuple(inputs), given) for inputs, given in tasks])


def facts(unit: Path) -> dict[str, Any]:
    """Return what the function of a finished unit returned."""
    return read_manifest(unit).facts


def read_split(split: Path) -> Iterator[Document]:
    """Return the documents of a split, in order."""
    yield from documents(split / DOCUMENTS)


def write_decisions(out: Path, decisions: Iterator[Decision] | Sequence[Decision]) -> int:
    """Write the decisions on the documents of one split into the folder ``out``, and return how many there are.

    They stand in the order of the documents of the split, at most one for each.
    """
    count = 0
    with Rows(out / DECISIONS, level=1) as file:
        for decision in decisions:
            row = {"id": decision.id, "drop": decision.drop, "twin": decision.twin, "similarity": decision.similarity,
                   "cuts": decision.cuts, "values": decision.values}  # fmt: skip
            file.write({key: value for key, value in row.items() if value not in ("", None, ())})
            count += 1
    return count


def read_decisions(unit: Path) -> dict[str, Decision]:
    """Return the decisions of one split by id."""
    found: dict[str, Decision] = {}
    for row in rows(unit / DECISIONS):
        cuts = tuple((int(start), int(end), str(twin)) for start, end, twin in row.get("cuts", ()))
        found[row["id"]] = Decision(
            row["id"], row.get("drop", ""), row.get("twin", ""), row.get("similarity"), cuts, row.get("values")
        )
    return found


def make_split(folder: Path, texts: Sequence[Document], flow: Flow) -> Path:
    """Return a split with these documents, made in ``flow``: for tests, and for text that is in memory already."""
    from pilotlight.corpus.store import to_row

    given = [to_row(document) for document in texts]
    mark = xxhash.xxh3_128_hexdigest(json.dumps(given, ensure_ascii=False).encode("utf-8", "replace"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{mark}.jsonl.zst"
    with Rows(path, level=1) as file:
        for row in given:
            file.write(row)
    return flow.run("given", [Task("pilotlight.corpus.pile:take_file", (), {"path": str(path), "mark": mark})])[0]


def take_file(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Any) -> dict[str, Any]:
    """Copy a file of documents into a split."""
    del inputs, watch
    (out / DOCUMENTS).write_bytes(Path(settings["path"]).read_bytes())
    return {"documents": sum(1 for _ in documents(out / DOCUMENTS))}
