"""Whom the text speaks of, in which tone, and whom a filter for toxicity flags more than others."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.corpus.mentions import GroupRow
from pilotlight.corpus.summaries.amounts import axes
from pilotlight.corpus.summaries.people import Flagged, Groups, flagged, groups, threshold
from pilotlight.report.block import Block, Cell, Fold, Piece, Plot, Table
from pilotlight.report.chart import Axis, Chart, Rule, Series
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.corpus_wording import even, rate_cell, share
from pilotlight.report.section import Slot
from pilotlight.report.text import fixed, number
from pilotlight.report.wording import listed

_FEWEST = 20
_MOST = 16


@final
class People(CorpusSection):
    """Toxicity by source, language and group named; mentions of groups and the tone around them."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 70
    title: ClassVar[str] = "Toxicity, and who is spoken of how"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return rates with intervals, or None where neither was measured."""
        summary = study.summary
        toxic = next((step for step in summary.of_kind("toxicity") if f"{step}.score" in summary.columns), "")
        identity = next((step for step in summary.of_kind("identity") if f"{step}.groups" in summary.columns), "")
        if not toxic and not identity:
            return None
        least = threshold(summary, toxic) if toxic else None
        score = f"{toxic}.score" if least is not None else ""
        before = groups(summary, identity, score=score, least=least) if identity else None
        plots: list[Plot] = []
        tables: list[Fold] = []
        if toxic and least is not None:
            for axis in ("source", "language"):
                if axis in axes(summary):
                    rows = [row for row in flagged(summary, toxic, axis, least) if row.value != "not measured"]
                    plots.append(_rates(f"toxic-{axis}", f"Flagged, by {axis}", rows))
                    tables.append(_table(axis.capitalize(), rows))
        if before is not None and before.flagged:
            rows = list(before.flagged.values())
            plots.append(_rates("toxic-groups", "Flagged, among texts that name a group", rows))
            tables.append(_table("Group named", rows))
        pieces: list[Piece] = []
        if before is not None and before.rows:
            plots.append(_tones(before.rows))
            after = groups(summary, identity, fate="train")
            tables.append(Fold("Mentions of groups: the numbers", (_mentions(before, after),)))
        if plots:
            pieces.append(even(plots))
        return Block(_lead(study, toxic, least, before), (*pieces, *tables))


def _lead(study: CorpusStudy, toxic: str, least: float | None, before: Groups | None) -> str:
    told: list[str] = []
    if toxic and least is not None:
        rows = flagged(study.summary, toxic, "source", least)
        count, whole = sum(row.flagged for row in rows), sum(row.measured for row in rows)
        only = getattr(study.summary.steps[toxic], "only_annotate", False)
        said = "the step only notes that" if only else "the step drops them"
        told.append(f"{share(count / max(1, whole))} of the documents score {least:g} or more for toxicity; {said}.")
        told.append(
            "Lists and models of toxicity flag some groups' own speech, and speech about them, more often: compare before you "
            "drop."
        )
    if before is not None and before.rows:
        apart = [row for row in before.rows if not row.caution and _differs(row.difference_interval)]
        names = listed(row.group for row in sorted(apart, key=lambda row: (-abs(row.difference), row.group))[:4])
        told.append(
            f"The words around {names} differ in tone from those around all groups."
            if apart
            else "No group is spoken of in a tone that is surely different from the others'."
        )
    return " ".join(told)


def _differs(interval: tuple[float, float]) -> bool:
    return interval[0] > 0 or interval[1] < 0


def _rates(name: str, title: str, rows: list[Flagged]) -> Plot:
    shown = [row for row in rows if row.measured >= _FEWEST] or rows
    shown = sorted(shown, key=lambda row: (-row.flagged / max(1, row.measured), row.value))[:_MOST]
    found = [(row, estimate) for row in shown if (estimate := row.rate) is not None]
    series = Series(
        "flagged", tuple(item.value for _, item in found), tuple(float(place) for place in range(len(found))),
        tuple(item.low for _, item in found), tuple(item.high for _, item in found), color=2, sideways=True,
        notes=tuple(
            f"{row.value}: {fixed(row.flagged, 0)} of {fixed(row.measured, 0)} ({share(item.low)} to {share(item.high)})"
            for row, item in found
        ),
    )  # fmt: skip
    return Plot(Chart(
        name, title, f"Share of the documents, with intervals of 95 %; values with fewer than {_FEWEST} documents are left out.",
        Axis("share flagged", percent=True), Axis("", names=tuple(row.value for row, _ in found)), (series,),
        height=110 + 26 * len(found), legend=False,
    ))  # fmt: skip


def _table(name: str, rows: list[Flagged]) -> Fold:
    lines = tuple(
        (Cell(row.value), Cell(fixed(row.flagged, 0)), Cell(fixed(row.measured, 0)), rate_cell(row.rate))
        for row in rows[:40]
    )
    columns = (name, "Flagged", "Measured", "Share")
    return Fold(f"Flagged, by {name.lower()}: the numbers", (Table(columns, lines, frozenset(columns[1:])),))


def _tones(rows: list[GroupRow]) -> Plot:
    shown = sorted((row for row in rows if not row.caution), key=lambda row: (row.difference, row.group))
    shown = shown or sorted(rows, key=lambda row: (row.difference, row.group))
    shown = shown if len(shown) <= _MOST else [*shown[: _MOST // 2], *shown[-_MOST // 2 :]]
    series = Series(
        "tone", tuple(row.difference for row in shown), tuple(float(place) for place in range(len(shown))),
        tuple(row.difference_interval[0] for row in shown), tuple(row.difference_interval[1] for row in shown), color=1,
        sideways=True, notes=tuple(f"{row.group}: {row.difference:+.3f}, {fixed(row.documents, 0)} documents" for row in shown),
    )  # fmt: skip
    return Plot(Chart(
        "tones", "Tone around a group, against all groups",
        "Left: worse words near it than near others. Intervals of 95 % over documents; a word near a group is not a word about "
        "it.",
        Axis("difference in tone"), Axis("", names=tuple(row.group for row in shown)), (series,), rules=(Rule("x", 0.0, ""),),
        height=110 + 26 * len(shown), legend=False,
    ))  # fmt: skip


def _mentions(before: Groups, after: Groups) -> Table:
    kept = {(row.axis, row.group): row for row in after.rows}
    rows: list[tuple[Cell, ...]] = []
    for row in before.rows:
        now = kept.get((row.axis, row.group))
        rows.append((
            Cell(row.group, row.axis), Cell(fixed(row.mentions, 0), f"in {fixed(row.documents, 0)} documents"), _per_million(row),
            Cell("–") if now is None else _per_million(now),
            Cell(
                f"{row.tone:+.2f}", f"{row.tone_interval[0]:+.2f} to {row.tone_interval[1]:+.2f}", row.caution,
                "quiet" if row.caution else "",
            ),
        ))  # fmt: skip
    columns = ("Group", "Mentions", "Per million words", "Trained on", "Tone around")
    sampled = (
        f" Counted over {fixed(before.documents, 0)} documents, chosen by the hash of their ids."
        if before.sampled
        else ""
    )
    return Table(columns, tuple(rows), frozenset(columns[1:]), f"Tones run from −1 to 1; grey: few documents.{sampled}")


def _per_million(row: GroupRow) -> Cell:
    low, high = row.per_million_interval
    return Cell(number(row.per_million, 3), f"{number(low, 3)} to {number(high, 3)}")
