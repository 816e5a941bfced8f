"""One text file, or the text files that a pattern matches."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import final

from pilotlight.corpus.formats import LONGEST, Encoding, read_text
from pilotlight.corpus.matching import matching_files, name_of
from pilotlight.corpus.source import Content, Input, Raw, Source, Unreadable
from pilotlight.units import Count


@final
class Text(Source):
    """Plain text, also gzip (.gz) or Zstandard (.zst); a long file becomes several records."""

    path: Path
    """A file, or a pattern such as ``texts/**/*.txt``; a relative path counts from the plan file."""
    encoding: Encoding = "utf-8"
    """Encoding of the files."""
    longest: Count = LONGEST
    """Bytes; a longer file is cut at paragraph bounds into records of at most this length (0: never)."""
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
        return matching_files(self.path, "a text file")

    def read(self, file: Input) -> Iterator[Raw | Unreadable]:
        """Return the text of one file in pieces."""
        return read_text(file, self.encoding, self.longest, self.content)
