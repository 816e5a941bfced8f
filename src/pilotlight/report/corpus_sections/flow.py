"""From what was read to what is trained on, step by step."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.corpus.summaries.amounts import Stage, readable
from pilotlight.report.block import Block, Cell, Plot, Table
from pilotlight.report.chart import Axis, Chart, Series
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.corpus_wording import amount_cell, even, share
from pilotlight.report.section import Slot
from pilotlight.report.text import fixed
from pilotlight.report.wording import counted, listed
from pilotlight.units import show_bytes

_COLORS = {"left": 1, "held out": 6, "filter": 2, "duplicates": 4, "select": 5, "edit": 7}
_MEANINGS = {
    "held out": "held out", "filter": "dropped by a filter", "duplicates": "like other text",
    "select": "not selected", "edit": "cut by edits",
}  # fmt: skip


@final
class Flow(CorpusSection):
    """A waterfall of bytes and of documents, and the table it is drawn from."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 10
    title: ClassVar[str] = "From read to trained on"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return the waterfall."""
        shown = [stage for stage in study.stages if stage.gone.documents]
        idle = [
            stage.name
            for stage in study.stages
            if not stage.gone.documents and stage.family in ("filter", "duplicates", "select")
        ]
        lead = f"Dropped nothing: {listed(idle)}." if idle else ""
        plots = even((_waterfall(study, shown, "bytes"), _waterfall(study, shown, "documents")))
        return Block(lead, (plots, _table(study, shown)))


def _waterfall(study: CorpusStudy, shown: list[Stage], unit: str) -> Plot:
    of_bytes = unit == "bytes"
    whole, train = readable(study.summary), study.summary.facts.train
    rows: list[tuple[str, str, float, float]] = [("read", "left", 0, whole.bytes if of_bytes else whole.documents)]
    for stage in shown:
        left, gone = (stage.left.bytes, stage.gone.bytes) if of_bytes else (stage.left.documents, stage.gone.documents)
        rows.append((stage.name, stage.family, left, left + gone))
    if of_bytes and study.edited_away:
        left = rows[-1][2] if shown else rows[-1][3]
        rows.append(("edits", "edit", min(left, train.bytes), max(left, train.bytes)))
    rows.append(("trained on", "left", 0, train.bytes if of_bytes else train.documents))
    most = rows[0][3] or 1
    factor, unit_name = _scaled(most) if of_bytes else (1.0, "documents")
    series: list[Series] = []
    for family, color in _COLORS.items():
        own = [row for row in rows if row[1] == family]
        if own:
            x, y, low, high = _bars(own, rows, most, factor)
            notes = _notes(rows, family, most, of_bytes)
            series.append(
                Series(_MEANINGS.get(family, family), x, y, low, high, "bars", color, sideways=True, notes=notes)
            )
    caption = (
        "A bar reaches from what is left after a step to what was there before it. Orange: filters; purple: like other text; "
        "light blue: not selected; ochre: held out."
    )
    return Plot(Chart(
        f"flow-{unit}", f"In {unit}", caption, Axis(unit_name), Axis("", names=tuple(row[0] for row in rows)),
        tuple(series), height=90 + 25 * len(rows), legend=False,
    ))  # fmt: skip


def _bars(
    own: list[tuple[str, str, float, float]], rows: list[tuple[str, str, float, float]], most: float, factor: float
) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    """Return x, y, low and high; what is too small to be seen is drawn as a hair."""
    hair = 0.003 * most
    low = tuple(max(0.0, min(row[2], row[3] - hair)) / factor for row in own)
    high = tuple(row[3] / factor for row in own)
    return high, tuple(float(rows.index(row)) for row in own), low, high


def _notes(rows: list[tuple[str, str, float, float]], family: str, most: float, of_bytes: bool) -> tuple[str, ...]:
    def told(row: tuple[str, str, float, float]) -> str:
        size = row[3] - row[2]
        amount = show_bytes(size) if of_bytes else counted(int(size), "document")
        return f"{row[0]}: {amount} ({share(size / most)} of what was read)"

    return tuple(told(row) for row in rows if row[1] == family)


def _scaled(size: float) -> tuple[float, str]:
    for factor, name in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if size >= factor:
            return factor, name
    return 1.0, "bytes"


def _table(study: CorpusStudy, shown: list[Stage]) -> Table:
    whole = readable(study.summary)
    rows = [(Cell("read"), Cell(""), Cell(""), amount_cell(whole, study.whole))]
    for stage in shown:
        largest = sorted(stage.reasons.items(), key=lambda item: (-item[1].documents, item[0]))
        small = ", ".join(f"{_said(reason)} {fixed(amount.documents, 0)}" for reason, amount in largest[:4])
        rows.append((
            Cell(stage.name, _MEANINGS[stage.family]),
            Cell(small + (", …" if len(largest) > 4 else "")), amount_cell(stage.gone, study.whole),
            amount_cell(stage.left, study.whole),
        ))  # fmt: skip
    if study.edited_away:
        cut = study.edited_away
        word = "cut out" if cut > 0 else "added"
        rows.append(
            (
                Cell("edits"),
                Cell(f"{word} in texts that stay"),
                Cell(show_bytes(abs(cut))),
                amount_cell(study.summary.facts.train, study.whole),
            )
        )
    columns = ("Step", "Reasons, in documents", "Taken away", "Left")
    return Table(
        columns,
        tuple(rows),
        frozenset({"Taken away", "Left"}),
        "Documents, and their bytes as read with the share of all.",
    )


def _said(reason: str) -> str:
    return reason.replace("_", " ")
