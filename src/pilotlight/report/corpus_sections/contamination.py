"""How much of each benchmark stands in the corpus, and how much of the corpus is benchmark text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

from pilotlight.corpus.summaries.rates import rate
from pilotlight.corpus.summary import quoted
from pilotlight.report.block import Block, Cell, Fold, Piece, Table
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.corpus_wording import rate_cell, share
from pilotlight.report.section import Slot
from pilotlight.report.text import fixed, short
from pilotlight.report.wording import counted

_MOST_ITEMS = 15


@final
class Contamination(CorpusSection):
    """Both ways, by benchmark file and by source."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 50
    title: ClassVar[str] = "Contamination by benchmarks"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return tables by file, source and item, or None where no benchmark was looked for."""
        steps = study.summary.of_kind("decontaminate")
        told = {step: study.summary.facts.steps.get(step, {}) for step in steps}
        told = {step: found for step, found in told.items() if found.get("files")}
        if not told:
            return None
        pieces: list[Piece] = []
        looked_for = found = 0
        for step, report in told.items():
            pieces += _files(report["files"])
            by_source = _sources(study, step)
            pieces += [by_source] if by_source else []
            pieces += [_items(report["items"])] if report.get("items") else []
            looked_for += sum(item["looked_for"] for item in report["files"].values())
            found += sum(item["found"] for item in report["files"].values())
        lead = (
            f"{fixed(found, 0)} of {counted(looked_for, 'benchmark item')} that could be looked for stood in the text before "
            "this step. "
            "Documents that held enough of one were dropped or cut; single sentences below the thresholds may still be there."
        )
        return Block(lead, tuple(pieces))


def _files(files: Mapping[str, Any]) -> list[Piece]:
    """Return a table of the files of which something was found, the most first, and the others behind a fold."""
    ordered = sorted(files.items(), key=lambda named: (-named[1]["found"], named[0]))
    hit = [named for named in ordered if named[1]["found"]]
    clean = [named for named in ordered if not named[1]["found"]]
    note = "Items that are too short to be told from chance are not looked for. Intervals of 95 %."
    pieces: list[Piece] = [_table(hit, note)] if hit else []
    if clean:
        items = sum(item["looked_for"] for _, item in clean)
        told = f"{counted(len(clean), 'file')} of which nothing was found, {counted(items, 'item')} looked for"
        pieces.append(Fold(told, (_table(clean, note),)))
    return pieces


def _table(files: Sequence[tuple[str, Mapping[str, Any]]], note: str) -> Table:
    rows = [
        (Cell(name), Cell(fixed(item["items"], 0)), Cell(fixed(item["looked_for"], 0)), Cell(fixed(item["found"], 0)),
         rate_cell(rate(item["found"], item["looked_for"])))
        for name, item in files
    ]  # fmt: skip
    columns = ("Benchmark file", "Items", "Looked for", "Found", "Share found")
    return Table(columns, tuple(rows), frozenset(columns[1:]), note)


def _sources(study: CorpusStudy, step: str) -> Table | None:
    column = f"{step}.document_share"
    if column not in study.summary.columns:
        return None
    rows = study.summary.ask(
        f"SELECT source, count(*) FILTER ({quoted(column)} > 0), count(*) FILTER (step = $step), max({quoted(column)}), count(*) "
        "FROM records WHERE fate IN ('train', 'dropped') GROUP BY source HAVING count(*) FILTER "
        f"({quoted(column)} > 0) > 0 ORDER BY 3 DESC, 2 DESC, 1",
        step=step,
    )
    if not rows:
        return None
    cells = [
        (
            Cell(str(row[0])),
            Cell(fixed(row[1], 0)),
            Cell(fixed(row[2], 0)),
            rate_cell(rate(row[2], row[4])),
            Cell(share(row[3])),
        )
        for row in rows
    ]
    columns = ("Source", "Hold words of items", "Dropped", "Share dropped", "Most of a document")
    return Table(
        columns, tuple(cells), frozenset(columns[1:]), "The other way: how much of a document is text of benchmarks."
    )


def _items(items: list[Mapping[str, Any]]) -> Fold:
    rows = [
        (
            Cell(short(item["item"], 80)),
            Cell(share(item["share"])),
            Cell(fixed(item["documents"], 0)),
            Cell(item["document"][:12], code=True),
        )
        for item in items[:_MOST_ITEMS]
    ]
    columns = ("Item", "Most that a document holds", "Documents that hold enough", "Such as")
    return Fold("The items that were found most", (Table(columns, tuple(rows), frozenset(columns[1:3])),))
