"""Web archives, such as those of a crawl."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from pilotlight.corpus.extraction import Extraction, check_extraction
from pilotlight.corpus.formats import LONGEST, Reading
from pilotlight.corpus.matching import links_of, matching_files, name_of
from pilotlight.corpus.readers import cut_file, format_of, read_file
from pilotlight.corpus.remote import Location
from pilotlight.corpus.source import Content, Cut, Input, Raw, Source, Unreadable
from pilotlight.units import Count


@final
class Warc(Source):
    """Pages and plain texts of web archives (WARC), also gzip (.gz) or Zstandard (.zst)."""

    path: Location
    """A file, a folder, a pattern such as ``crawl/*.warc.gz``, or an address; a relative path counts from the plan file."""
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
        return matching_files(self.path, "a web archive", lambda name: format_of(name) == "warc")

    def read(self, file: Input, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
        """Return the text of every page in one archive."""
        how = Reading(longest=self.longest, content=self.content, extraction=self.extraction)
        return read_file(file, how, cut, "warc")

    def cuts(self, file: Input, target: int) -> list[Cut]:
        """Return ranges of bytes that begin with a record."""
        return cut_file(file, target, "warc")

    def passed_over(self) -> dict[str, int]:
        """Return how many links are passed over."""
        return links_of(self.path, lambda name: format_of(name) == "warc")
