"""Rows of a corpus on disk: JSON lines packed by Zstandard, the same bytes for the same rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import orjson

from pilotlight.corpus.document import Document
from pilotlight.corpus.reading import BrokenFile, lines
from pilotlight.errors import RecordError

EXCERPT = 240
_TOGETHER = 1 << 18  # bytes packed at a time: few calls, little memory


def excerpt(text: str) -> str:
    """Return the beginning of a text on one line."""
    begin = " ".join(text[: 4 * EXCERPT].split())
    return begin if len(begin) <= EXCERPT else begin[: EXCERPT - 1] + "…"


@final
class Rows:
    """Writes rows as JSON lines, packed where the name ends in .zst; a context manager."""

    def __init__(self, path: Path, level: int = 6) -> None:
        self._file = path.open("wb")
        self._waiting = bytearray()
        self._packer: Any = None
        if path.name.endswith(".zst"):
            import zstandard

            self._packer = zstandard.ZstdCompressor(level=level).compressobj()

    def write(self, row: dict[str, Any]) -> None:
        """Append one row."""
        self._waiting += orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
        if len(self._waiting) >= _TOGETHER:
            self._flush()

    def _flush(self) -> None:
        data = bytes(self._waiting)
        self._waiting.clear()
        self._file.write(self._packer.compress(data) if self._packer else data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file as file:
            if kind is None:
                self._flush()
            if self._packer and kind is None:
                file.write(self._packer.flush())


def raw_rows(path: Path) -> Iterator[bytes]:
    """Return the rows of a file as JSON text, in order.

    Raises:
        RecordError: the file is damaged.
    """
    try:
        yield from lines(path)
    except BrokenFile as error:
        raise RecordError(f"{path} is damaged ({error}). Remove the folder and build the corpus again.") from error


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """Return the rows of a file in order.

    Raises:
        RecordError: the file is damaged.
    """
    for line in raw_rows(path):
        yield orjson.loads(line)


def to_row(document: Document) -> dict[str, Any]:
    """Return a document as a row; the id stands first, so that a row can be found without reading all of it."""
    return {
        "id": document.id, "source": document.source, "origin": document.origin,
        "facts": dict(document.facts), "text": document.text,
    }  # fmt: skip


def documents(path: Path) -> Iterator[Document]:
    """Return the documents of a file in order.

    Raises:
        RecordError: the file is damaged.
    """
    for row in rows(path):
        yield Document(text=row["text"], id=row["id"], source=row["source"], origin=row["origin"], facts=row["facts"])
