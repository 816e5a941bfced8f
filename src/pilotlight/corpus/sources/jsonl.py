"""One JSON-lines file, or those that a pattern matches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import final

from pilotlight.corpus.formats import LONGEST, read_jsonl
from pilotlight.corpus.matching import matching_files, name_of
from pilotlight.corpus.source import Content, Input, Raw, Source, Unreadable
from pilotlight.units import Count


@final
class JsonLines(Source):
    """One JSON object per line with the text in one field; also gzip (.gz) or Zstandard (.zst)."""

    path: Path
    """A file, or a pattern such as ``texts/*.jsonl.gz``; a relative path counts from the plan file."""
    text_field: str = "text"
    """Field that holds the text."""
    longest: Count = LONGEST
    """Bytes; a longer text is cut at paragraph bounds into records of at most this length (0: never)."""
    content: Content = "prose"
    """What the text is: prose or code. Some filters look at prose only."""

    def default_name(self) -> str:
        """Return the name of the file without its ending, or of the folder that a pattern starts from."""
        return name_of(self.path)

    def files(self) -> list[Input]:
        """Return the file, or the files that match, sorted.

        Raises:
            DataError: there is none.
        """
        return matching_files(self.path, "a file with one JSON object per line")

    def read(self, file: Input) -> Iterator[Raw | Unreadable]:
        """Return the text of every line of one file."""
        return read_jsonl(file, self.text_field, self.longest, self.content)
