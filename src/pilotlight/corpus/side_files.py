"""Files that the steps of a recipe read beside the text: benchmarks, models, lists of names, tables of scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import xxhash

from pilotlight.corpus.matching import below, is_folder, matching_files
from pilotlight.corpus.reading import open_bytes
from pilotlight.spec import Part, plain


def _paths(step: Part) -> dict[str, list[Path]]:
    """Return the paths in the settings of a step, by field."""
    found: dict[str, list[Path]] = {}
    for name in type(step).model_fields:
        value: Any = getattr(step, name)
        items: Sequence[Any] = cast("tuple[Any, ...]", value) if isinstance(value, tuple) else (value,)
        paths = [item for item in items if isinstance(item, Path)]
        if paths:
            found[name] = paths
    return found


def digests(steps: Iterable[tuple[str, Part]]) -> dict[str, str]:
    """Return the digest of the content of every file that a named step reads, as ``{"step.field": digest}``.

    Raises:
        DataError: a file is missing or cannot be read.
    """
    found: dict[str, str] = {}
    for name, step in steps:
        for field, paths in _paths(step).items():
            hasher = xxhash.xxh3_128()
            for path in paths:
                files = below(path) if is_folder(path) else matching_files(path, f"the files of {name}.{field}")
                for file in files:
                    hasher.update(file.relative.encode("utf-8", "replace") + b"\0")
                    with open_bytes(file.path) as handle:
                        while data := handle.read(1 << 20):
                            hasher.update(data)
            found[f"{name}.{field}"] = hasher.hexdigest()
    return found


def stamp(path: Path | None) -> tuple[int, int]:
    """Return what changes when a file changes (size, time of the last change): for caches of what is read from it."""
    try:
        found = path.stat() if path is not None else None
    except OSError:
        found = None  # whoever reads it says what is wrong
    return (found.st_size, found.st_mtime_ns) if found is not None else (0, 0)


def without_folders(step: Part) -> Mapping[str, Any]:
    """Return the settings of a step with the names of its files instead of their paths: they may move."""
    settings: dict[str, Any] = plain(step)
    for field, paths in _paths(step).items():
        names = [path.name for path in paths]
        settings[field] = names if isinstance(settings[field], list) else names[0]
    return settings
