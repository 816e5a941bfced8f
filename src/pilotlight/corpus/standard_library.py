"""The source files of the running interpreter's own standard library."""

from __future__ import annotations

import io
import sysconfig
import tokenize
from pathlib import Path

from pilotlight.corpus.reading import open_bytes, walk
from pilotlight.corpus.source import Input, Unreadable
from pilotlight.errors import DataError

TOPICS = "pydoc_data/topics.py"
_PASSED_OVER = frozenset({"site-packages", "dist-packages", "test", "tests", "idle_test", "__pycache__", "_bundled"})


def library_files() -> list[Input]:
    """Return the .py files of the standard library without tests, installed packages and files of this one build.

    Raises:
        DataError: the interpreter came without the source of its library.
    """
    root = Path(sysconfig.get_path("stdlib"))
    found = [
        file for file in (walk(root, _PASSED_OVER) if root.is_dir() else [])
        if file.relative.endswith(".py") and not file.relative.startswith(("config-", "_sysconfigdata"))
    ]  # fmt: skip
    if not found:
        raise DataError(
            f"{root} holds no .py file: this Python came without the source of its standard library. "
            "Use another Python, or give text of your own (kind: folder)."
        )
    return found


def source_text(file: Input) -> str | Unreadable:
    """Return the text of a Python file in the encoding that it declares, or why it cannot be decoded."""
    with open_bytes(file.path) as handle:
        data = handle.read()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError) as error:
        return Unreadable("1", "not in its declared encoding", str(error)[:200])
