"""Zip files, their members read like the files of a folder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import final

from pilotlight.corpus.encodings import AUTO, Encoding
from pilotlight.corpus.extraction import Extraction, check_extraction
from pilotlight.corpus.formats import LONGEST, Reading
from pilotlight.corpus.matching import links_of, matching_files, name_of
from pilotlight.corpus.readers import cut_file, format_of, read_file, zip_passed_over
from pilotlight.corpus.remote import Location
from pilotlight.corpus.source import Content, Cut, Input, Raw, Source, Unreadable
from pilotlight.units import Count


@final
class Zip(Source):
    """Members of zip files, each read by its ending; documents are called file.zip#folder/member:record."""

    path: Location
    """A file, a folder, a pattern such as ``archives/*.zip``, or an address; a relative path counts from the plan file."""
    text_field: str = "text"
    """Field or column that holds the text, in members that have some."""
    keep: tuple[str, ...] = ()
    """Other fields or columns to keep as facts of a document."""
    encoding: Encoding = AUTO
    """Encoding of the members that are text, JSON or tables; ``auto``: by mark, by UTF-8, else by what the bytes show."""
    extraction: Extraction = "main"
    """What is taken of a page: its main content, the whole page, or what trafilatura finds."""
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
            ConfigError: the extractor is not installed.
            DataError: there is none.
        """
        check_extraction(self.extraction)
        return matching_files(self.path, "a zip file", lambda name: format_of(name) == "zip")

    def read(self, file: Input, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
        """Return the records of all members of one file."""
        how = Reading(
            encoding=self.encoding,
            longest=self.longest,
            content=self.content,
            text_field=self.text_field,
            keep=self.keep,
            extraction=self.extraction,
        )
        return read_file(file, how, cut, "zip")

    def cuts(self, file: Input, target: int) -> list[Cut]:
        """Return runs of members."""
        return cut_file(file, target, "zip")

    def passed_over(self) -> dict[str, int]:
        """Return how many members are of other kinds, by ending, and how many links are passed over."""
        counts = Counter(links_of(self.path, lambda name: format_of(name) == "zip"))
        for file in self.files():
            counts.update(zip_passed_over(file))
        return dict(sorted(counts.items()))
