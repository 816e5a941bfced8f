"""One JSON-lines file, or those that a pattern matches or that lie in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from pilotlight.corpus.encodings import AUTO, Encoding
from pilotlight.corpus.formats import LONGEST, Reading
from pilotlight.corpus.matching import links_of, matching_files, name_of
from pilotlight.corpus.readers import cut_file, format_of, read_file
from pilotlight.corpus.remote import Location
from pilotlight.corpus.source import Content, Cut, Input, Raw, Source, Unreadable
from pilotlight.units import Count


@final
class JsonLines(Source):
    """One JSON object per line with the text in one field; also gzip (.gz) or Zstandard (.zst)."""

    path: Location
    """A file, a folder, a pattern such as ``texts/*.jsonl.gz``, or an address; a relative path counts from the plan file."""
    text_field: str = "text"
    """Field that holds the text; dots lead into fields of fields: ``content.body``."""
    keep: tuple[str, ...] = ()
    """Other fields to keep as facts of a document."""
    encoding: Encoding = AUTO
    """Encoding of the files; ``auto``: by mark, by UTF-8, else by what the bytes show."""
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
        return matching_files(
            self.path, "a file with one JSON object per line", lambda name: format_of(name) == "jsonl"
        )

    def read(self, file: Input, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
        """Return the text of every line of one file."""
        how = Reading(self.encoding, self.longest, self.content, self.text_field, self.keep)
        return read_file(file, how, cut, "jsonl")

    def cuts(self, file: Input, target: int) -> list[Cut]:
        """Return ranges of bytes that begin with a line."""
        return cut_file(file, target, "jsonl", self.encoding)

    def passed_over(self) -> dict[str, int]:
        """Return how many links are passed over."""
        return links_of(self.path, lambda name: format_of(name) == "jsonl")
