"""What the full run would take in time and money, and what the pilot took."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.report.block import Block, Cell, Facts, Items, Piece, Table
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import percent
from pilotlight.report.wording import dollars, flops, sentences
from pilotlight.stats.estimate import Estimate
from pilotlight.units import show_seconds


@final
class Cost(Section):
    """Time and money as P10, P50 and P90, measured or assumed."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 50
    title: ClassVar[str] = "Cost and time"

    def write(self, study: Study) -> Block | None:
        """Return the cost of the full run, or None while there is no decision."""
        if study.decision is None:
            return None
        cost = study.decision.cost
        rows = [_row("Wall-clock", cost.seconds, [show_seconds(x) for x in _three(cost.seconds)])]
        if cost.money is not None:
            rows.append(_row("Money", cost.money, [dollars(x) for x in _three(cost.money)]))
        pieces: list[Piece] = [
            Table(("", "P10", "P50", "P90"), tuple(rows), frozenset({"P10", "P50", "P90"}),
                  details=(cost.seconds.method, cost.money.method if cost.money else "")[: len(rows)]),
            Facts((
                ("Hardware", Cell(cost.hardware)),
                ("Throughput", Cell(cost.basis, cost.because, tone="good" if cost.basis == "measured" else "open")),
                ("Training FLOPs", Cell(flops(cost.flops))),
                ("Spent on the pilot", Cell(flops(cost.pilot_flops), f"{percent(cost.pilot_flops / cost.flops)} of the full run"
                                            if cost.flops else "")),
            )),
        ]  # fmt: skip
        cautions = tuple(dict.fromkeys((*cost.seconds.cautions, *(cost.money.cautions if cost.money else ()))))
        if cautions:
            pieces.append(Items(sentences(study, cautions), "Cautions"))
        return Block(_lead(cost.basis, cost.hardware, cost.seconds), tuple(pieces))


def _lead(basis: str, hardware: str, seconds: Estimate) -> str:
    sure = "from measured throughput" if basis == "measured" else "assumed, not measured: it cannot carry a GO"
    return (
        f"About {show_seconds(seconds.value)} on {hardware}, with nine chances in ten at most "
        f"{show_seconds(seconds.high)} ({sure})."
    )


def _three(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.low, estimate.value, estimate.high


def _row(name: str, estimate: Estimate, shown: list[str]) -> tuple[Cell, ...]:
    del estimate
    return (Cell(name), *(Cell(text) for text in shown))
