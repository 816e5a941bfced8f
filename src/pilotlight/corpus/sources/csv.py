"""Tables as text, with commas, semicolons, tabulators or other delimiters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, final

from pydantic import BeforeValidator, Field

from pilotlight.corpus.encodings import AUTO, Encoding
from pilotlight.corpus.formats import LONGEST, Reading
from pilotlight.corpus.matching import links_of, matching_files, name_of
from pilotlight.corpus.readers import format_of, read_file
from pilotlight.corpus.remote import Location
from pilotlight.corpus.source import Content, Cut, Input, Raw, Source, Unreadable
from pilotlight.units import Count


def _column(value: Any) -> Any:
    return str(value) if type(value) is int else value


Delimiter = Annotated[str, Field(max_length=1)]
Column = Annotated[str, BeforeValidator(_column)]
"""Name of a column, or its number from 1 where the columns have no names."""


@final
class Csv(Source):
    """One document per row of a table; also gzip (.gz) or Zstandard (.zst)."""

    path: Location
    """A file, a folder, a pattern such as ``tables/*.csv``, or an address; a relative path counts from the plan file."""
    header: bool = True
    """Whether the first row names the columns; where it does not, they are called 1, 2 ..."""
    text_field: Column = "text"
    """Column that holds the text; where there is no column ``text``, the one with the longest text is taken."""
    keep: tuple[Column, ...] = ()
    """Other columns to keep as facts of a document."""
    delimiter: Delimiter = ""
    """What stands between columns; empty: a tabulator for .tsv, and found in the first rows for others."""
    encoding: Encoding = AUTO
    """Encoding of the tables; ``auto``: by mark, by UTF-8, else by what the bytes show."""
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
        return matching_files(self.path, "a table as text (.csv or .tsv)", lambda name: format_of(name) == "csv")

    def read(self, file: Input, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
        """Return the text of every row of one table."""
        how = Reading(
            encoding=self.encoding,
            longest=self.longest,
            content=self.content,
            text_field=self.text_field,
            keep=self.keep,
            header=self.header,
        )
        return read_file(file, how, cut, "csv", delimiter=self.delimiter)

    def passed_over(self) -> dict[str, int]:
        """Return how many links are passed over."""
        return links_of(self.path, lambda name: format_of(name) == "csv")
