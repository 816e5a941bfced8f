"""Text or numbers that lie beside a corpus and steer a selection: read as a stream, known by their content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

from pilotlight.corpus.reading import lines
from pilotlight.errors import DataError

_TOGETHER = 1 << 20


def content_digest(path: Path) -> str:
    """Return the SHA-256 of a file (or of the files of a folder, in order of their names), for settings of units.

    Raises:
        DataError: there is no such file.
    """
    import hashlib

    if not path.exists():
        raise DataError(f"{path} does not exist; expected a file. Correct the path in the recipe.")
    total = hashlib.sha256()
    for file in files_of(path):
        with file.open("rb") as stream:
            total.update(hashlib.file_digest(stream, "sha256").digest())
    return total.hexdigest()


def files_of(path: Path) -> list[Path]:
    """Return the file, or the files below the folder, in order."""
    return [path] if path.is_file() else sorted(file for file in path.rglob("*") if file.is_file())


def read_texts(path: Path) -> Iterator[str]:
    """Return the texts of a JSONL file (field ``text``, or a line that is a string), or the paragraphs of another.

    Raises:
        DataError: a line of a JSONL file holds no text.
    """
    for file in files_of(path):
        jsonl = any(part in (".jsonl", ".ndjson") for part in file.suffixes)
        for number, line in enumerate(lines(file), 1):
            if not jsonl:
                yield line.decode("utf-8", "replace")
            elif line.strip():
                yield _text(line, file, number)


def _text(line: bytes, file: Path, number: int) -> str:
    try:
        row: Any = json.loads(line)
    except ValueError:
        row = None
    text: Any = cast("dict[str, Any]", row).get("text") if type(row) is dict else row
    if not isinstance(text, str):
        raise DataError(f"{file}, line {number} holds no text; expected an object with the field 'text', or a string.")
    return text


def together(texts: Iterable[str]) -> Iterator[list[str]]:
    """Return texts in lists of about a million characters."""
    batch: list[str] = []
    size = 0
    for text in texts:
        batch.append(text)
        size += len(text)
        if size >= _TOGETHER:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
