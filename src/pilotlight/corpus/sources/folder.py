"""Everything that can be read in a folder and the folders below it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import final

from pilotlight.corpus.encodings import AUTO, Encoding
from pilotlight.corpus.extraction import Extraction, check_extraction
from pilotlight.corpus.formats import LONGEST, Reading
from pilotlight.corpus.matching import below, is_folder, links_of, matching_files, name_of
from pilotlight.corpus.readers import cut_file, ending_of, format_of, read_file, zip_passed_over
from pilotlight.corpus.remote import Location, has_wildcards, is_address
from pilotlight.corpus.source import Content, Cut, Input, Raw, Source, Unreadable
from pilotlight.errors import DataError
from pilotlight.units import Count

_SHOWN = "*.txt, *.md or *.jsonl, plain or with .gz or .zst, web pages, tables, web archives or zip files"


def _is_read(name: str) -> bool:
    return bool(format_of(name))


@final
class Folder(Source):
    """Every file below a folder that can be read, by its ending.

    Text (.txt .md .markdown .text .rst), JSON (.jsonl .ndjson .json), pages (.html .htm .xhtml), tables (.csv .tsv
    .parquet), archives (.warc .zip); all but Parquet and zip also with .gz or .zst. Hidden files are passed over;
    files with other endings are counted and said.
    """

    path: Location
    """The folder, a pattern or an address such as ``s3://bucket/texts``; a relative path counts from the plan file."""
    text_field: str = "text"
    """Field of a JSON line, or column of a table, that holds the text; dots lead into fields of fields."""
    keep: tuple[str, ...] = ()
    """Other fields or columns to keep as facts of a document."""
    encoding: Encoding = AUTO
    """Encoding of text, JSON and tables; ``auto``: by mark, by UTF-8, else by what the bytes show. Pages say theirs."""
    extraction: Extraction = "main"
    """What is taken of a web page: its main content, the whole page, or what trafilatura finds."""
    longest: Count = LONGEST
    """Bytes; a longer text is cut at paragraph bounds into records of at most this length (0: never)."""
    content: Content = "prose"
    """What the text is: prose or code. Some filters look at prose only."""

    def default_name(self) -> str:
        """Return the name of the folder."""
        if is_address(self.path) or has_wildcards(self.path):
            return name_of(self.path)
        return Path(self.path).resolve().name or "folder"

    def files(self) -> list[Input]:
        """Return the files of the folder that can be read, sorted.

        Raises:
            ConfigError: the extractor, or a package for the address, is not installed.
            DataError: the folder is missing, or holds no such file.
        """
        check_extraction(self.extraction)
        found = [file for file in self._all() if file.unlisted or format_of(file.relative)]
        if not found:
            others = ", ".join(f"{count} {ending}" for ending, count in self.passed_over().items()) or "no file at all"
            raise DataError(f"{self.path} holds no text file (it holds {others}). Expected {_SHOWN}; put some there.")
        return found

    def _all(self) -> list[Input]:
        if not has_wildcards(self.path) and is_folder(self.path):
            return below(self.path, fits=_is_read)
        return matching_files(self.path, f"a folder with {_SHOWN}")

    def read(self, file: Input, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
        """Return the records of one file, read by its ending."""
        how = Reading(self.encoding, self.longest, self.content, self.text_field, self.keep, self.extraction)
        return read_file(file, how, cut)

    def cuts(self, file: Input, target: int) -> list[Cut]:
        """Return the parts that the format of the file allows."""
        return cut_file(file, target, encoding=self.encoding)

    def whole_folder(self) -> Path | None:
        """Return the folder, where it is a local one."""
        return None if is_address(self.path) or has_wildcards(self.path) else Path(self.path)

    def passed_over(self) -> dict[str, int]:
        """Return how many files of other kinds are in the folder and in zip files, by ending, and links."""
        counts = Counter(links_of(self.path, _is_read))
        for file in self._all():
            if file.unlisted:
                continue
            kind = format_of(file.relative)
            counts.update([ending_of(file.relative)] if not kind else ())
            if kind == "zip":
                counts.update(zip_passed_over(file))
        return dict(sorted(counts.items()))
