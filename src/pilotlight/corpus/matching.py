"""The files that a path or a pattern with wildcards means."""

from __future__ import annotations

import glob
from pathlib import Path

from pilotlight.corpus.reading import plain_name, shown_name
from pilotlight.corpus.source import Input
from pilotlight.errors import DataError, nearest


def _fixed_part(path: Path) -> Path:
    """Return the folder that stands before the first wildcard of a pattern."""
    parts = path.parts
    first = next((at for at, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    return Path(*parts[:first])


def _is_pattern(path: Path) -> bool:
    return glob.has_magic(str(path)) and not path.is_file()


def name_of(path: Path) -> str:
    """Return a name for the files that a path or pattern means: the file's own, or its folder's."""
    if _is_pattern(path):
        return _fixed_part(path).resolve().name or "files"
    return plain_name(path.name).partition(".")[0] or path.name


def matching_files(path: Path, expected: str) -> list[Input]:
    """Return the files that ``path`` names or matches, sorted; ``expected`` says what they should be.

    Raises:
        DataError: there is no such file, or the pattern matches none.
    """
    if _is_pattern(path):
        root = _fixed_part(path)
        found = [Path(name) for name in glob.glob(str(path), recursive=True)]  # noqa: PTH207 (pattern from a plan)
        files = [Input(item, shown_name(item.relative_to(root))) for item in found if item.is_file()]
        if not files:
            raise DataError(f"{path} matches no file. Expected {expected}; correct the pattern.")
        return sorted(files, key=lambda file: file.relative)
    if path.is_dir():
        raise DataError(f"{path} is a folder. Expected {expected}; write kind: folder to read a whole folder.")
    if not path.is_file():
        near = nearest(path.name, (item.name for item in path.parent.iterdir())) if path.parent.is_dir() else ""
        raise DataError(f"{path} does not exist. Expected {expected}; correct the path of the source.{near}")
    return [Input(path, shown_name(Path(path.name)))]
