"""The code of the running interpreter's standard library: text that every machine has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from pilotlight.corpus.source import Cut, Input, Raw, Source, Unreadable
from pilotlight.corpus.standard_library import TOPICS, library_files, source_text


@final
class PythonLibrary(Source):
    """Every module of the standard library as one document of code, without its tests.

    A module and its docstrings (``python_docs``) go to the same side of the held-out split.
    """

    def default_name(self) -> str:
        """Return ``python_library``."""
        return "python_library"

    def files(self) -> list[Input]:
        """Return the modules, sorted; the help topics are left to ``python_docs``.

        Raises:
            DataError: this Python came without the source of its library.
        """
        return [file for file in library_files() if file.relative != TOPICS]

    def read(self, file: Input, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
        """Return the module as one record; a module without any text is no record."""
        text = source_text(file)
        if isinstance(text, Unreadable):
            yield text
        elif text.strip():
            yield Raw(text, "1", "code", group=f"module {file.relative}")
