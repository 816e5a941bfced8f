"""Tables in Parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from pilotlight.corpus.formats import LONGEST, Reading
from pilotlight.corpus.matching import links_of, matching_files, name_of
from pilotlight.corpus.readers import cut_file, format_of, read_file
from pilotlight.corpus.remote import Location
from pilotlight.corpus.source import Content, Cut, Input, Raw, Source, Unreadable
from pilotlight.units import Count


@final
class Parquet(Source):
    """One document per row; only the text column, and those to keep, are read."""

    path: Location
    """A file, a folder, a pattern such as ``tables/*.parquet``, or an address; a relative path counts from the plan file."""
    text_field: str = "text"
    """Column that holds the text; where there is no column ``text``, the one with the longest text is taken."""
    keep: tuple[str, ...] = ()
    """Other columns to keep as facts of a document."""
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
        return matching_files(self.path, "a Parquet file", lambda name: format_of(name) == "parquet")

    def read(self, file: Input, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
        """Return the text of every row of one file."""
        how = Reading(longest=self.longest, content=self.content, text_field=self.text_field, keep=self.keep)
        return read_file(file, how, cut, "parquet")

    def cuts(self, file: Input, target: int) -> list[Cut]:
        """Return runs of row groups."""
        return cut_file(file, target, "parquet")

    def passed_over(self) -> dict[str, int]:
        """Return how many links are passed over."""
        return links_of(self.path, lambda name: format_of(name) == "parquet")
