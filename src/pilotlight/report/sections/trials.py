"""Every trial in the ledger, the failed and the killed too."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.record.results import Row
from pilotlight.report.block import Block, Cell, Fold, Piece, Table
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import fixed, number, short
from pilotlight.report.wording import counted, flops, metric_of, status
from pilotlight.units import show_count


@final
class Trials(Section):
    """The ledger as a table; what was lost stands on top."""

    slot: ClassVar[Slot] = Slot.APPENDIX
    order: ClassVar[int] = 10
    title: ClassVar[str] = "All trials"

    def write(self, study: Study) -> Block | None:
        """Return the table of trials, or None before the first one ended."""
        rows = study.rows()
        if not rows:
            return None
        lost = study.results.lost() if study.results else ()
        pieces: list[Piece] = []
        if lost:
            pieces.append(Table(
                ("Trial", "Status", "Error"),
                tuple((Cell(row.name), status(row.status), Cell(short(row.error, 400) or "–")) for row in lost),
            ))  # fmt: skip
        finished = [row for row in rows if row.status == "finished"]
        if finished:
            pieces.append(Fold(f"{counted(len(finished), 'finished trial')}", (_table(study, finished),)))
        return Block(_lead(study, len(finished), len(lost)), tuple(pieces))


def _lead(study: Study, finished: int, lost: int) -> str:
    text = f"{counted(finished, 'trial')} finished, {lost} failed or killed"
    left_out = study.decision.trials.get("left out", 0) if study.decision else 0
    return text + (f", {left_out} left out for want of budget." if left_out else ".")


def _fit(fit: str) -> Cell:
    word, _, reason = fit.partition(":")
    return Cell(word or "–", note=reason.strip(), tone="" if word in ("", "ok") else "open")


def _table(study: Study, rows: list[Row]) -> Table:
    metric = metric_of(study)
    columns = ("Trial", "Round", metric.unit, "Parameters", "Tokens", "Epochs", "FLOPs", "Fit", "Incidents", "Plan")
    return Table(
        columns,
        tuple(
            (
                Cell(row.name, note=f"A/A: {row.repeat} reseeded" if row.repeat else ""), Cell(row.round),
                Cell(number(row.metrics[metric.name]) if metric.name in row.metrics else "–"),
                Cell(show_count(row.parameters), note=f"{show_count(row.total_parameters)} with embeddings"),
                Cell(show_count(row.tokens)), Cell(fixed(row.epochs, 2)), Cell(flops(row.flops).removesuffix(" FLOPs")),
                _fit(row.fit),
                Cell(str(row.incidents), tone="open" if row.incidents else ""), Cell(row.fingerprint, code=True),
            )
            for row in rows
        ),
        frozenset({metric.unit, "Parameters", "Tokens", "Epochs", "FLOPs", "Incidents"}),
        wide=True,
    )  # fmt: skip
