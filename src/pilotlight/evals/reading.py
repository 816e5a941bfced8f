"""Task files: rows read, the kind of task told from their fields, bad rows set aside."""

from __future__ import annotations

import codecs
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, final

from pydantic import ValidationError

from pilotlight.corpus.formats import JSONL_ENDINGS, TEXT_ENDINGS, read_text
from pilotlight.corpus.reading import BrokenFile, lines, plain_name
from pilotlight.corpus.source import Input, Raw
from pilotlight.errors import ConfigError, DataError, nearest
from pilotlight.evals.item import Item
from pilotlight.evals.task import Line, Task
from pilotlight.events import Note, Watcher, silent
from pilotlight.manifest import sha256
from pilotlight.record.scores import RefusedRow
from pilotlight.spec import discover

PIECE = 8192.0
"""Bytes of a plain-text file that make one item, cut at paragraph bounds."""
_ORDER = ("choice", "classification", "passage")
_SHOWN = 3
_SPLITS = frozenset({"dev", "train", "test", "val", "valid", "validation", "data"})
_LONGEST = 100  # a folder is named after it, with a fingerprint and more while it is written


@final
@dataclass(frozen=True, slots=True)
class Loaded:
    """A task with its items, ready to be scored."""

    name: str
    task: Task
    items: tuple[Item, ...]
    refused: tuple[RefusedRow, ...]
    sha256: str
    """Of the file."""
    is_held_out: bool = False
    """The held-out text of runs, which they have scored already; ``items`` may then be empty."""


def load(
    path: Path, kind: str = "", settings: Mapping[str, Any] | None = None, most: int | None = None,
    watch: Watcher = silent,
) -> Loaded:  # fmt: skip
    """Return the task in a file: JSON lines, or plain text, as they are or compressed (.gz, .zst).

    Args:
        path: the file.
        kind: name of the task; by default told from the fields of the rows, and said.
        settings: of the task.
        most: items to keep, the first ones; by default all.
        watch: is told the kind and the rows set aside.

    Raises:
        DataError: the file is no task, or no row of it can be used; names the line and the fields expected.
        ConfigError: a setting does not fit.
    """
    name = plain_name(path.name)
    if name.lower().endswith(TEXT_ENDINGS):
        found, broken = _text(path)
    elif name.lower().endswith((*JSONL_ENDINGS, ".json")):
        found, broken = _rows(path)
    else:
        raise DataError(f"{path}: expected a file of JSON lines (.jsonl) or plain text (.txt), plain or .gz or .zst.")
    task = _task(path, kind, dict(settings or {}), found, broken)
    items, refused = task.items(found)
    bad = tuple(sorted([*broken, *refused], key=lambda row: row.line))
    if not items:
        raise _unusable(path, bad, task.expects)
    source = f"--task {kind}" if kind else "told from its fields"
    watch(Note(f"{path}: {len(items)} items, task {task.kind} ({source})"))
    if bad:
        watch(Note(f"{path}: {len(bad)} of {len(bad) + len(items)} rows set aside: {_reasons(bad)}", "warning"))
    if most is not None and most < len(items):
        watch(Note(f"{path}: the first {most} of {len(items)} items are scored", "warning"))
        items = items[:most]
    return Loaded(_name(path), task, tuple(items), bad, sha256(path))


def _name(path: Path) -> str:
    """Return the name of the file, with its folder's where it is ``dev.jsonl`` or the like."""
    stem = Path(plain_name(path.name)).stem
    return (f"{path.resolve().parent.name}-{stem}" if stem.lower() in _SPLITS else stem)[:_LONGEST]


def _reasons(bad: Sequence[RefusedRow]) -> str:
    shown = [f"line {row.line}: {row.reason}" + (f" ({row.detail})" if row.detail else "") for row in bad[:_SHOWN]]
    return "; ".join(shown) + (f"; and {len(bad) - _SHOWN} more" if len(bad) > _SHOWN else "")


def _unusable(path: Path, bad: Sequence[RefusedRow], expected: str) -> DataError:
    if not bad:
        return DataError(f"{path} holds no rows. Expected JSON lines with {expected}.")
    first = bad[0]
    return DataError(
        f"{path}:{first.line}: {first.reason}{f' ({first.detail})' if first.detail else ''}, and no other row can be "
        f"used either. Expected {expected}."
    )


def _text(path: Path) -> tuple[list[Line], list[RefusedRow]]:
    found: list[Line] = []
    broken: list[RefusedRow] = []
    for piece in read_text(Input(path, path.name), "utf-8", PIECE, "prose"):
        if isinstance(piece, Raw):
            found += [Line(int(piece.record), {"text": piece.text})] if piece.text.strip() else []
        else:
            broken.append(RefusedRow(line=int(piece.record), reason=piece.reason, detail=piece.detail))
    return found, broken


def _rows(path: Path) -> tuple[list[Line], list[RefusedRow]]:
    found: list[Line] = []
    broken: list[RefusedRow] = []
    number = 0
    try:
        for number, line in enumerate(lines(path), 1):
            data = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if not data.strip():
                continue
            row = _object(number, data)
            if isinstance(row, RefusedRow):
                broken.append(row)
            else:
                found.append(row)
    except BrokenFile as error:
        broken.append(RefusedRow(line=number + 1, reason="damaged file", detail=str(error)))
    return found, broken


def _object(number: int, data: bytes) -> Line | RefusedRow:
    try:
        row: Any = json.loads(data.decode("utf-8"))
    except UnicodeDecodeError as error:
        return RefusedRow(line=number, reason="not UTF-8", detail=f"byte 0x{data[error.start]:02x} at {error.start}")
    except (ValueError, RecursionError) as error:
        return RefusedRow(line=number, reason="broken JSON", detail=str(error)[:200])
    if not isinstance(row, dict):
        return RefusedRow(line=number, reason="no JSON object", detail=data[:40].decode("utf-8", "replace"))
    return Line(number, cast("dict[str, Any]", row))


def _task(path: Path, kind: str, settings: dict[str, Any], found: list[Line], broken: list[RefusedRow]) -> Task:
    """Return the task asked for, or the one whose fields most rows have."""
    kinds = cast("dict[str, type[Task]]", discover(Task.folder))
    if kind:
        return _chosen(kind, settings)
    order = (*_ORDER, *(name for name in kinds if name not in _ORDER))
    candidates = [
        _chosen(name, {key: value for key, value in settings.items() if key in kinds[name].model_fields})
        for name in order
    ]
    counts = [sum(task.fits(line.row) for line in found) for task in candidates]
    if not any(counts):
        fields = ", ".join(found[0].row) if found else ""
        seen = RefusedRow(line=found[0].number, reason=f"its fields are {fields}") if found else None
        expected = "; or ".join(f"{task.kind}: {task.expects}" for task in candidates)
        raise _unusable(path, sorted([*broken, *([seen] if seen else [])], key=lambda row: row.line), expected)
    best = candidates[counts.index(max(counts))]
    # Settings that this kind does not have are refused here, by name.
    return _chosen(best.kind, settings)


def _chosen(kind: str, settings: dict[str, Any]) -> Task:
    """Return the task of a kind with its settings, in words where they are wrong."""
    try:
        return Task.choose({"kind": kind, **settings})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = [field for field in discover(Task.folder)[kind].model_fields if field != "kind"]
            raise ConfigError(
                f"task {kind} has no setting {name!r}; it has {', '.join(known)}.{nearest(name, known)}"
            ) from error
        raise ConfigError(f"task {kind}: {name}: {first['msg']}") from error
