"""What the text consists of, before and after: by source, language, content and length."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.corpus.facts import Amount
from pilotlight.corpus.summaries.amounts import Moved, Passed, added, axes, moved, passed
from pilotlight.corpus.summary import HELD_OUT
from pilotlight.report.block import Block, Cell, Fold, Paragraph, Piece, Plot, Table
from pilotlight.report.chart import Axis, Chart, Series
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.corpus_wording import amount_cell, even, rate_cell, share
from pilotlight.report.section import Slot
from pilotlight.report.text import effect, fixed
from pilotlight.report.wording import listed

_HEAT = (
    "What each step drops of the documents of a source or language that reach it, with Wilson's intervals of 95 %: what its "
    "rules would do to more text of the same kind. The stronger the colour, the more. "
    "The last column is what is left of them after all steps."
)
_MOST = 12
_LEAST_SHARE = 0.003  # of the bytes, below which a value is shown with the others
_LEAST_DOCUMENTS = 10
_MOST_ROWS = 20
_TITLES = {"source": "By source", "language": "By language", "content": "By content", "length": "By length as read"}


@final
class Composition(CorpusSection):
    """Shares of bytes before and after, and which step took what share of which source."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 20
    title: ClassVar[str] = "What it consists of"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return charts and tables of shares."""
        found = {axis: moved(study.summary, axis) for axis in axes(study.summary)}
        found = {axis: rows for axis, rows in found.items() if len(rows) > 1 or axis == "source"}
        plots = tuple(_chart(axis, rows) for axis, rows in found.items() if len(rows) > 1)
        pieces: list[Piece] = [even(plots)] if plots else []
        pieces += [Fold(f"{_TITLES[axis]}: the numbers", (_table(axis, rows),)) for axis, rows in found.items()]
        heat = [table for axis in ("source", "language") if axis in found and (table := _heat(study, axis)) is not None]
        pieces += [Paragraph(_HEAT, "quiet"), *heat] if heat else []
        return Block(_lead(found), tuple(pieces))


def few(rows: list[Moved]) -> list[Moved]:
    """Return the values that can be seen, and the others as one."""
    shares = _shares(rows)
    seen = [row for row, pair in zip(rows, shares, strict=True) if max(pair) >= _LEAST_SHARE][: _MOST - 1]
    rest = [row for row in rows if row not in seen]
    if len(rest) < 2:
        return rows
    return [*seen, Moved(f"{len(rest)} others", added(row.before for row in rest), added(row.after for row in rest))]


def _shares(rows: list[Moved]) -> list[tuple[float, float]]:
    before, after = (max(1, added(item).bytes) for item in ((row.before for row in rows), (row.after for row in rows)))
    return [(row.before.bytes / before, row.after.bytes / after) for row in rows]


def _lead(found: dict[str, list[Moved]]) -> str:
    told: list[str] = []
    for axis, rows in found.items():
        changes = [(new - old, row.value, old, new) for row, (old, new) in zip(rows, _shares(rows), strict=True)]
        change, value, old, new = max(changes, key=lambda item: (abs(item[0]), item[1]))
        if len(rows) > 1 and abs(change) >= 0.01:
            told.append(f"{axis} {value} from {share(old)} to {share(new)}")
    return f"Largest shifts in the shares of bytes: {listed(told)}." if told else "Shares of bytes hardly moved."


def _chart(axis: str, rows: list[Moved]) -> Plot:
    shown = few(rows)
    shares = _shares(shown)
    places = tuple(float(place) for place in range(len(shown)))
    old, new = tuple(pair[0] for pair in shares), tuple(pair[1] for pair in shares)
    notes = tuple(
        f"{row.value}: {share(a)} before, {share(b)} after" for row, (a, b) in zip(shown, shares, strict=True)
    )
    series = [
        Series("change", (a, b), (place, place), style="line", color=0, thin=True, legend=False, notes=(note, note))
        for place, (a, b), note in zip(places, shares, notes, strict=True)
    ]
    series.append(Series("read", old, places, color=0, symbol="open", notes=notes))
    series.append(Series("trained on", new, places, color=1, notes=notes))
    return Plot(Chart(
        f"shares-{axis}", _TITLES[axis], "Share of the bytes. Ring: before the steps; dot: trained on.",
        Axis("", percent=True), Axis("", names=tuple(row.value for row in shown)), tuple(series),
        height=max(200, 90 + 26 * len(shown)), legend=False,
    ))  # fmt: skip


def _table(axis: str, rows: list[Moved]) -> Table:
    before, after = (added(item).bytes for item in ((row.before for row in rows), (row.after for row in rows)))
    lines = [
        (
            Cell(row.value), amount_cell(row.before, before), amount_cell(row.after, after),
            Cell(effect(row.after.bytes / max(1, after) - row.before.bytes / max(1, before), 1).replace("%", "points")),
            Cell(share(row.after.documents / max(1, row.before.documents)), share(_part(row.after, row.before)) + " of bytes"),
        )
        for row in rows
    ]  # fmt: skip
    columns = (axis.capitalize(), "Went through the steps", "Trained on", "Shift", "Documents kept")
    return Table(
        columns, tuple(lines), frozenset(columns[1:]),
        "Documents, and their bytes with the share of the column. Held-out text is not counted here.",
    )  # fmt: skip


def _part(part: Amount, whole: Amount) -> float:
    return part.bytes / max(1, whole.bytes)


def _heat(study: CorpusStudy, axis: str) -> Table | None:
    found = passed(study.summary, axis)
    if not found:
        return None
    steps = [item.step for item in next(iter(found.values()))]
    if not steps:
        return None
    rows: list[tuple[Cell, ...]] = []
    for value, items in _large(found):
        kept = items[-1].reached - items[-1].dropped
        cells = [rate_cell(item.rate, heat=True) for item in items]
        whole = Cell(share(kept / max(1, items[0].reached)), f"of {fixed(items[0].reached, 0)}")
        rows.append((Cell(value), *cells, whole))
    names = ["held-out copies" if step == HELD_OUT else step.replace("_", " ") for step in steps]
    return Table(
        (axis.capitalize(), *names, "kept"), tuple(rows), frozenset((*names, "kept")),
        wide=True,
    )  # fmt: skip


def _large(found: dict[str, list[Passed]]) -> list[tuple[str, list[Passed]]]:
    """Return the values with enough documents to tell, and the others as one."""
    large = [(value, items) for value, items in found.items() if items[0].reached >= _LEAST_DOCUMENTS][:_MOST_ROWS]
    known = {value for value, _ in large}
    rest = [items for value, items in found.items() if value not in known]
    if len(rest) < 2:
        return list(found.items())
    together = [
        Passed("others", items[0].step, sum(item.reached for item in items), sum(item.dropped for item in items))
        for items in zip(*rest, strict=True)
    ]
    return [*large, (f"{len(rest)} others", together)]
