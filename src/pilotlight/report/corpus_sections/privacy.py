"""Private data: how much of each kind was found, where, and what was done about it. Never what was found."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.corpus.summaries.private_data import Found, Touched, private_data, words_column
from pilotlight.report.block import Block, Cell, Piece, Table
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.corpus_wording import rate_cell
from pilotlight.report.section import Slot
from pilotlight.report.text import fixed, number
from pilotlight.report.wording import counted

_DONE = {"redact": "replaced", "annotate": "left, only noted", "ignore": "left"}


@final
class Privacy(CorpusSection):
    """Counts by kind and by source."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 60
    title: ClassVar[str] = "Private data"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return the counts, or None where no step looked for private data."""
        pieces: list[Piece] = []
        total = documents = 0
        steps = study.summary.of_kind("pii")
        for step in steps:
            found, touched = private_data(study.summary, step)
            total += sum(item.found for item in found)
            documents += sum(item.documents for item in touched)
            if found:
                pieces += [_kinds(found), _sources(touched, bool(words_column(study.summary)))]
        if not steps:
            return None
        lead = (
            f"{counted(total, 'piece')} of private data in {counted(documents, 'document')}. What rules of form and check digits "
            "do not "
            "know (most names, nicknames, stories that identify somebody) is not counted and is still there."
            if total else "No private data of the kinds that are looked for was found."
        )  # fmt: skip
        return Block(lead, tuple(pieces))


def _kinds(found: list[Found]) -> Table:
    rows = [
        (
            Cell(item.kind.replace("_", " "), item.meaning),
            Cell(_DONE[item.action], tone="open" if item.action != "redact" else ""),
            Cell(fixed(item.found, 0)), Cell(fixed(item.documents, 0)), rate_cell(item.touched),
            Cell("–" if item.per_million is None else number(item.per_million, 3)),
        )
        for item in found
    ]  # fmt: skip
    columns = ("Kind", "What is done", "Found", "Documents", "Share of documents", "Per million words")
    return Table(
        columns,
        tuple(rows),
        frozenset(columns[2:]),
        "In everything that went through this step, dropped later or not. Intervals of 95 %.",
    )


def _sources(touched: list[Touched], words: bool) -> Table:
    rows = [
        (
            Cell(item.source), Cell(fixed(item.found, 0)), rate_cell(item.rate),
            Cell(number(item.per_million, 3) if words and item.per_million is not None else number(item.per_megabyte, 3)),
        )
        for item in touched
    ]  # fmt: skip
    columns = ("Source", "Found", "Documents touched", "Per million words" if words else "Per MB")
    return Table(columns, tuple(rows), frozenset(columns[1:]))
