"""Web pages as they were served."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

from pilotlight.corpus.extraction import Extraction, check_extraction
from pilotlight.corpus.formats import LONGEST, Reading
from pilotlight.corpus.matching import links_of, matching_files, name_of
from pilotlight.corpus.readers import format_of, read_file
from pilotlight.corpus.remote import Location
from pilotlight.corpus.source import Content, Cut, Input, Raw, Source, Unreadable
from pilotlight.units import Count


@final
class Html(Source):
    """Text of web pages, also gzip (.gz) or Zstandard (.zst); the extractor is a fact of every document."""

    path: Location
    """A file, a folder, a pattern such as ``pages/**/*.html``, or an address; a relative path counts from the plan file."""
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
        return matching_files(self.path, "a web page", lambda name: format_of(name) == "html")

    def read(self, file: Input, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
        """Return the text of one page."""
        how = Reading(longest=self.longest, content=self.content, extraction=self.extraction)
        return read_file(file, how, cut, "html")

    def passed_over(self) -> dict[str, int]:
        """Return how many links are passed over."""
        return links_of(self.path, lambda name: format_of(name) == "html")
