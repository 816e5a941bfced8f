"""What the full run would take in time, money and energy, what that consists of, and what could be bought instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, final

from pilotlight.record.decision import Cost as Record
from pilotlight.record.expense import Alternative, CostLine, Figure, Origin
from pilotlight.report.block import Block, Cell, Facts, Fold, Items, Piece, Table, Tone, cell
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import how, number, percent
from pilotlight.report.wording import dollars, duration, flops, money, sentences
from pilotlight.stats.estimate import Estimate
from pilotlight.units import show_bytes, show_count, show_seconds

_TONES: dict[Origin, Tone] = {"measured": "good", "assumed": "open"}


@final
class Cost(Section):
    """Time, money and energy as P10, P50 and P90, measured or assumed; the bill; the alternatives."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 50
    title: ClassVar[str] = "Cost and time"

    def write(self, study: Study) -> Block | None:
        """Return the cost of the full run, or None while there is no decision."""
        if study.decision is None:
            return None
        cost = study.decision.cost
        pieces: list[Piece] = [_totals(cost), Facts(tuple(_facts(cost)))]
        cautions = tuple(dict.fromkeys((*cost.seconds.cautions, *(cost.money.cautions if cost.money else ()))))
        if cautions:
            pieces.append(Items(sentences(study, cautions), "Cautions"))
        if len(cost.alternatives) > 1:
            pieces += _alternatives(study, cost.alternatives)
        if cost.lines:
            pieces.append(Fold("The bill, line by line", (_bill(cost.lines),)))
        if cost.figures:
            pieces.append(Fold("Every figure that went in, and how it was obtained", (_figures(cost.figures),)))
        return Block(_lead(cost.basis, cost.hardware, cost.seconds), tuple(pieces))


def _lead(basis: str, hardware: str, seconds: Estimate) -> str:
    sure = "from measured throughput" if basis == "measured" else "assumed, not measured: it cannot carry a GO"
    return (
        f"About {show_seconds(seconds.value)} on {hardware}, with nine chances in ten at most "
        f"{show_seconds(seconds.high)} ({sure})."
    )


def _three(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.low, estimate.value, estimate.high


def _energy(value: float) -> str:
    return f"{number(value, 3)} kWh"


def _totals(cost: Record) -> Table:
    """Return P10, P50 and P90 of what the run takes."""
    shown = [("Wall-clock", cost.seconds, show_seconds), ("Money", cost.money, dollars), ("Energy", cost.energy, _energy),
             ("Goodput", cost.goodput, percent)]  # fmt: skip
    known = [(name, found, show) for name, found, show in shown if found is not None]
    return Table(
        ("", "P10", "P50", "P90"),
        tuple((Cell(name), *(Cell(show(value)) for value in _three(found))) for name, found, show in known),
        frozenset({"P10", "P50", "P90"}), details=tuple(found.method for _, found, _ in known),
    )  # fmt: skip


def _facts(cost: Record) -> Iterable[tuple[str, Cell]]:
    yield "Hardware", Cell(cost.hardware)
    yield "Throughput", Cell(cost.basis, cost.because, tone="good" if cost.basis == "measured" else "open")
    yield "Training FLOPs", Cell(flops(cost.flops))
    spent = f"{percent(cost.pilot_flops / cost.flops)} of the full run" if cost.flops else ""
    yield "Spent on the pilot", Cell(flops(cost.pilot_flops), spent)
    if cost.memory is not None:
        fits = cost.memory.fits
        text = f"{show_bytes(cost.memory.needed)} of {show_bytes(cost.memory.capacity)} a device"
        yield "Memory", Cell(text, cost.memory.because, tone="" if fits else "bad", sign="" if fits else "✕")


def _bill(lines: tuple[CostLine, ...]) -> Table:
    priced = any(line.money is not None for line in lines)
    rows = tuple(
        (
            Cell(line.name), duration(line.seconds), *((money(line.money),) if priced else ()),
            Cell(line.origin, line.source, tone=_TONES.get(line.origin, "")),
        )
        for line in lines
    )  # fmt: skip
    columns = ("Line", "Wall-clock", *(("Money",) if priced else ()), "How it was obtained")
    return Table(columns, rows, frozenset({"Wall-clock", "Money"}), caption="P50, and P10 to P90 below it")


def _unit(estimate: Estimate) -> str:
    """Return the unit, or nothing where the figure is shown as a duration."""
    return "" if estimate.unit == "s" and estimate.value >= 1 else estimate.unit


def _range(estimate: Estimate) -> Cell:
    if not _unit(estimate):
        return duration(estimate)
    is_share = estimate.unit.startswith("of ")
    low, value, high = (percent(value) if is_share else number(value, 3) for value in _three(estimate))
    return Cell(value, f"{low} to {high}" if estimate.low < estimate.high else "", how(estimate))


def _figures(figures: tuple[Figure, ...]) -> Table:
    rows = tuple(
        (
            Cell(item.name), _range(item.value), Cell(_unit(item.value)),
            Cell("" if item.spread is None else percent(item.spread, 0)),
            Cell(item.origin, item.source, tone=_TONES.get(item.origin, "")),
        )
        for item in figures
    )  # fmt: skip
    return Table(
        ("Figure", "P50", "Unit", "Of the spread", "How it was obtained"),
        rows,
        frozenset({"P50", "Of the spread"}),
        caption="Of the spread: how much of the range of the wall-clock comes from not knowing the figure",
    )


def _standing(item: Alternative) -> Cell:
    """Return whether nothing is better; without a predicted result nobody can say that it is on the frontier."""
    if item.dominated:
        return Cell(f"no: {item.dominated} is {'predicted to be ' if item.loss else ''}better", tone="quiet")
    if item.rival:
        note = "no dearer or slower, and predicted to be no worse, but by less than the intervals tell apart"
        return Cell("not told apart", f"from {item.rival}", note, tone="open")
    return Cell("yes") if item.loss else Cell("–", note="without a predicted result nobody can say", tone="quiet")


def _alternatives(study: Study, found: tuple[Alternative, ...]) -> Iterable[Piece]:
    """Yield the frontier of alternatives, and why some have no predicted loss."""
    priced = any(item.money is not None for item in found)
    rows = tuple(
        (
            Cell(item.name, item.change), Cell(f"{show_count(item.parameters)} on {show_count(item.tokens)}"),
            duration(item.seconds), *((money(item.money),) if priced else ()),
            cell(item.loss, unit=True) if item.loss else Cell("–", note=item.loss_note, tone="quiet"),
            _standing(item),
        )
        for item in found
    )  # fmt: skip
    columns = ("Instead", "Size", "Wall-clock", *(("Money",) if priced else ()), "Predicted", "On the frontier")
    caption = "What could be bought instead: P50, and P10 to P90 below it"
    yield Table(columns, rows, frozenset({"Wall-clock", "Money", "Predicted"}), caption=caption)
    silent = [item for item in found if item.loss is None]
    notes = [
        f"no loss is predicted for {', '.join(item.name for item in silent if item.loss_note == note)}: {note}"
        for note in dict.fromkeys(item.loss_note for item in silent)
    ]
    if notes:
        yield Items(sentences(study, notes))
