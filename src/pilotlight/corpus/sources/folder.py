"""Text, Markdown and JSON-lines files in a folder and the folders below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import final

from pilotlight.corpus.formats import JSONL_ENDINGS, LONGEST, TEXT_ENDINGS, Encoding, read_jsonl, read_text
from pilotlight.corpus.reading import plain_name, walk
from pilotlight.corpus.source import Content, Input, Raw, Source, Unreadable
from pilotlight.errors import DataError
from pilotlight.units import Count

_SHOWN = "*.txt, *.md or *.jsonl, plain or with .gz or .zst"


@final
class Folder(Source):
    """Every text file (.txt .md .markdown .text .rst) and JSON-lines file (.jsonl .ndjson) below a folder.

    All may be compressed (.gz .zst). Hidden files are passed over; files with other endings are counted and said.
    """

    path: Path
    """The folder; a relative path counts from the plan file."""
    text_field: str = "text"
    """Field of a JSON line that holds the text."""
    encoding: Encoding = "utf-8"
    """Encoding of the text files; JSON lines are always UTF-8."""
    longest: Count = LONGEST
    """Bytes; a longer text is cut at paragraph bounds into records of at most this length (0: never)."""
    content: Content = "prose"
    """What the text is: prose or code. Some filters look at prose only."""

    def default_name(self) -> str:
        """Return the name of the folder."""
        return self.path.resolve().name or "folder"

    def files(self) -> list[Input]:
        """Return the text files of the folder, sorted.

        Raises:
            DataError: the folder is missing, is no folder, or holds no text file.
        """
        if not self.path.is_dir():
            what = (
                "is a file (write kind: text or kind: jsonl for one file)" if self.path.exists() else "does not exist"
            )
            raise DataError(f"{self.path} {what}. Expected a folder with {_SHOWN}; correct the path of the source.")
        found = [file for file in walk(self.path) if self._is_text(file) or self._is_jsonl(file)]
        if not found:
            others = ", ".join(f"{count} {ending}" for ending, count in self.passed_over().items()) or "no file at all"
            raise DataError(f"{self.path} holds no text file (it holds {others}). Expected {_SHOWN}; put some there.")
        return found

    def read(self, file: Input) -> Iterator[Raw | Unreadable]:
        """Return the records of one file: lines of JSON, or text in pieces."""
        if self._is_jsonl(file):
            return read_jsonl(file, self.text_field, self.longest, self.content)
        return read_text(file, self.encoding, self.longest, self.content)

    def whole_folder(self) -> Path | None:
        """Return the folder."""
        return self.path

    def passed_over(self) -> dict[str, int]:
        """Return how many files of other kinds are in the folder, by ending."""
        others = [file for file in walk(self.path) if not self._is_text(file) and not self._is_jsonl(file)]
        return dict(
            sorted(Counter(Path(plain_name(file.path.name)).suffix.lower() or "(no ending)" for file in others).items())
        )

    @staticmethod
    def _is_text(file: Input) -> bool:
        return plain_name(file.relative.lower()).endswith(TEXT_ENDINGS)

    @staticmethod
    def _is_jsonl(file: Input) -> bool:
        return plain_name(file.relative.lower()).endswith(JSONL_ENDINGS)
