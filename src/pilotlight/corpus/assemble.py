"""The last unit of a build: the files of all splits put together into the finished corpus."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pilotlight.corpus.corpus import HELD_OUT_FILE, shard
from pilotlight.corpus.ingest import QUARANTINE
from pilotlight.corpus.pile import DOCUMENTS
from pilotlight.corpus.records_table import RECORDS
from pilotlight.corpus.segment import DROPPED
from pilotlight.events import Watcher
from pilotlight.manifest import building

KIND = "corpus"


def assemble(out: Path, inputs: Sequence[Path], settings: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Make the corpus ``settings["out"]`` from finished units; they are linked, not copied, where the disk allows it.

    ``inputs`` are, one after another, the unit with the held-out documents and its table; then for every split the
    unit that read it, its table, and its segments.
    """
    del out, watch
    each = 2 + settings["segments"]
    held_out, *splits = inputs[0], *[inputs[at : at + each] for at in range(2, len(inputs), each)]
    made = {"fingerprint": settings["fingerprint"], "settings": settings["recipe"], "inputs": settings["inputs"]}
    with building(Path(settings["out"]), kind=KIND, **made) as draft:
        _place(held_out / DOCUMENTS, draft.folder / HELD_OUT_FILE)
        _place(inputs[1] / RECORDS, draft.folder / shard("records", 0))
        for number, (read, table, *segments) in enumerate(splits):
            _place(segments[-1] / DOCUMENTS, draft.folder / shard("train", number))
            _place(read / QUARANTINE, draft.folder / shard("quarantined", number))
            _place(table / RECORDS, draft.folder / shard("records", number + 1))
            _join([unit / DROPPED for unit in segments], draft.folder / shard("dropped", number))
        draft.facts.update(settings["facts"])
    return {}


def _join(parts: Sequence[Path], to: Path) -> None:
    """Write what each segment dropped, one after another: Zstandard frames in a row are one file."""
    to.parent.mkdir(exist_ok=True)
    with to.open("wb") as file:
        for part in parts:
            with part.open("rb") as given:
                shutil.copyfileobj(given, file)


def _place(file: Path, to: Path) -> None:
    """Put a finished file in its place without copying where the file system can."""
    to.parent.mkdir(exist_ok=True)
    try:
        to.hardlink_to(file)
    except OSError:
        shutil.copyfile(file, to)
