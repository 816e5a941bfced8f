"""Source code repositories: code with its language, documentation as prose, no fetched, built or generated files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import final

from pilotlight.corpus import notebooks
from pilotlight.corpus.encodings import AUTO, Encoding
from pilotlight.corpus.formats import LONGEST, Reading, pieces_of, text_records
from pilotlight.corpus.matching import below, is_folder, links_of, matching_files, name_of
from pilotlight.corpus.readers import ending_of
from pilotlight.corpus.reading import LONGEST_RECORD, chunks
from pilotlight.corpus.remote import Barred, Location, has_wildcards, is_address
from pilotlight.corpus.repositories import language_of, noise_of, written_by_machine
from pilotlight.corpus.source import Cut, Input, Raw, Source, Unreadable, may_not_be_read
from pilotlight.errors import DataError
from pilotlight.units import Count

_EXPECTED = "a repository: a folder with source code"


@final
class Code(Source):
    """Code and documentation of one repository, or of a folder of them, one document per file.

    Read are files of some 60 languages and of settings (.yaml .toml .ini) by their endings, the cells of notebooks
    without their outputs, and .md, .rst, .txt, README and LICENSE as prose. Hidden files, what was fetched or built
    (node_modules, vendor, dist, build ...), minified and generated files, lists of versions and
    binaries are passed over and counted.
    """

    path: Location
    """The folder, a pattern, or an address; a relative path counts from the plan file."""
    endings: tuple[str, ...] = ()
    """Read only these endings, such as ``.py``; empty: all that are known."""
    documentation: bool = True
    """Read documentation too; it is prose."""
    encoding: Encoding = AUTO
    """Encoding of the files; ``auto``: by mark, by UTF-8, else by what the bytes show."""
    longest: Count = LONGEST
    """Bytes; a longer file is cut at empty lines into records of at most this length (0: never)."""

    def default_name(self) -> str:
        """Return the name of the folder."""
        if is_address(self.path) or has_wildcards(self.path):
            return name_of(self.path)
        return Path(self.path).resolve().name or "code"

    def files(self) -> list[Input]:
        """Return the files of code and documentation, sorted.

        Raises:
            DataError: the folder is missing, or holds none.
        """
        found = [file for file in self._all() if file.unlisted or self._is_read(file.relative)]
        if not found:
            others = ", ".join(f"{count} {ending}" for ending, count in self.passed_over().items()) or "no file at all"
            raise DataError(f"{self.path} holds no source code (it holds {others}). Expected {_EXPECTED}.")
        return found

    def _all(self) -> list[Input]:
        if not has_wildcards(self.path) and is_folder(self.path):
            return below(self.path, fits=self._is_read)
        return matching_files(self.path, _EXPECTED)

    def _is_read(self, name: str) -> bool:
        return not self._passed_over(name)

    def _passed_over(self, name: str) -> str:
        language = language_of(name)
        if noise := noise_of(name):
            return noise
        if not language or (language == "prose" and not self.documentation):
            return ending_of(name)
        chosen = not self.endings or name.lower().endswith(tuple(ending.lower() for ending in self.endings))
        return "" if chosen else ending_of(name)

    def read(self, file: Input, cut: Cut | None = None) -> Iterator[Raw | Unreadable]:
        """Return the file as one record, or in pieces called ``1.1``, ``1.2`` ...; an empty file is no record."""
        del cut
        try:
            yield from self._records(file)
        except Barred as error:
            yield may_not_be_read(error)

    def _records(self, file: Input) -> Iterator[Raw | Unreadable]:
        language = language_of(file.relative)
        how = Reading(self.encoding, LONGEST_RECORD, "prose" if language == "prose" else "code")
        for record in text_records(chunks(file.path), how):
            if isinstance(record, Unreadable):
                if record.reason != "empty file":
                    yield record if record.reason != "binary data" else replace(record, ordinary=True)
            elif not record.text.strip():
                continue
            elif language == "prose":
                yield from pieces_of(record, self.longest)
            elif language == notebooks.KIND:
                yield from self._notebook(record, file)
            elif reason := written_by_machine(record.text):
                yield Unreadable(record.record, reason, f"code of {len(record.text)} characters", ordinary=True)
            else:
                facts = {"code_language": language, **record.facts}
                yield from pieces_of(replace(record, group=f"file {file.relative}", facts=facts), self.longest)

    def _notebook(self, record: Raw, file: Input) -> Iterator[Raw | Unreadable]:
        try:
            script = notebooks.script_of(record.text)
        except ValueError as error:
            yield Unreadable(record.record, "broken notebook", str(error))
            return
        if script.text:
            facts = {"code_language": script.language or notebooks.KIND, "notebook": "yes", **record.facts}
            whole = replace(record, text=script.text, group=f"file {file.relative}", facts=facts)
            yield from pieces_of(whole, self.longest)

    def whole_folder(self) -> Path | None:
        """Return the folder, where it is a local one."""
        return None if is_address(self.path) or has_wildcards(self.path) else Path(self.path)

    def passed_over(self) -> dict[str, int]:
        """Return how many files are not read, by the reason or by ending, and how many links are passed over."""
        counts = Counter(links_of(self.path, self._is_read))
        names = (file.relative for file in self._all() if not file.unlisted)
        counts.update(reason for name in names if (reason := self._passed_over(name)))
        return dict(sorted(counts.items()))
