"""How like the full run the pilot is, and what follows from the differences."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.report.block import Block, Cell, Items, Piece, Table
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import fixed, percent
from pilotlight.report.wording import flops, sentences, times
from pilotlight.units import show_count


@final
class Fidelity(Section):
    """The largest rung beside the full run, and advice with its reason."""

    slot: ClassVar[Slot] = Slot.METHOD
    order: ClassVar[int] = 40
    title: ClassVar[str] = "Fidelity and advice"

    def write(self, study: Study) -> Block | None:
        """Return the comparison and the advice, or None while there is no decision."""
        if study.decision is None:
            return None
        pieces: list[Piece] = []
        table = _beside(study)
        if table is not None:
            pieces.append(table)
        if study.decision.advice:
            pieces.append(Items(sentences(study, study.decision.advice), "Advice"))
        return Block("What differs between the pilot and the run it decides about.", tuple(pieces)) if pieces else None


def _beside(study: Study) -> Table | None:
    full = study.decision.forecast if study.decision else None
    rows = [row for row in study.rows() if row.status == "finished" and row.parameters and row.tokens]
    if not rows or full is None:
        return None
    top = max(rows, key=lambda row: (row.flops, row.name))
    return Table(
        ("", "Largest rung", "Full run", "Factor"),
        (
            (Cell("Parameters", "non-embedding"), Cell(show_count(top.parameters)), Cell(show_count(full.parameters)),
             Cell(times(full.parameters / top.parameters), f"rung is {percent(top.parameters / full.parameters)}")),
            (Cell("Training tokens"), Cell(show_count(top.tokens)), Cell(show_count(full.tokens)),
             Cell(times(full.tokens / top.tokens), f"rung is {percent(top.tokens / full.tokens)}")),
            (Cell("Tokens per parameter"), Cell(fixed(top.tokens / top.parameters, 1)),
             Cell(fixed(full.tokens / full.parameters, 1)),
             Cell(times(full.tokens / full.parameters * top.parameters / top.tokens))),
            (Cell("Training FLOPs"), Cell(flops(top.flops)), Cell(flops(full.flops)),
             Cell(times(full.flops / top.flops) if top.flops else "–")),
        ),
        frozenset({"Largest rung", "Full run", "Factor"}),
    )  # fmt: skip
