"""Two corpora side by side."""

from __future__ import annotations

from typing import Any, ClassVar, final

from pilotlight.corpus.summaries.amounts import Moved, axes, moved, readable
from pilotlight.corpus.summary import Summary
from pilotlight.report.block import Block, Cell, Fold, Piece, Table
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.corpus_wording import amount_cell, share
from pilotlight.report.section import Slot
from pilotlight.report.text import effect, setting, short
from pilotlight.spec import diff, plain
from pilotlight.units import show_bytes

_MOST = 20
_LEAST_SHARE = 0.001


@final
class Comparison(CorpusSection):
    """Amounts and shares of this corpus and of the one it is set beside, and the settings that differ."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 15
    title: ClassVar[str] = "Against the other corpus"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return the comparison, or None where no other corpus is given."""
        old, new = study.before, study.summary
        if old is None:
            return None
        before, after = old.facts.train, new.facts.train
        lead = (
            f"The other corpus ({old.corpus.fingerprint}) has {show_bytes(before.bytes)} to train on, this one "
            f"{show_bytes(after.bytes)} "
            f"({effect(after.bytes / max(1, before.bytes) - 1, 1)})."
        )
        common = [axis for axis in axes(new) if axis in axes(old)]
        tables = [_shares(axis, moved(old, axis), moved(new, axis)) for axis in common]
        pieces: list[Piece] = [_amounts(old, new), *(table for table in tables if len(table.rows) > 1)]
        changes = diff(_settings(old), _settings(new))
        if changes:
            rows = [
                (Cell(path, code=True), Cell(_said(left)), Cell(_said(right)))
                for path, (left, right) in list(changes.items())[:60]
            ]
            pieces.append(Fold("Settings that differ", (Table(("Setting", "Other", "This"), tuple(rows)),)))
        return Block(lead, tuple(pieces))


def _settings(summary: Summary) -> dict[str, Any]:
    """Return the settings of a recipe, of sources and steps by their names: so each changed field is told by itself."""
    recipe = summary.recipe
    sources = {source.title: plain(source) for source in recipe.by_title()}
    steps = {name: plain(step) for name, step in summary.steps.items()}
    others = {name: value for name, value in plain(recipe).items() if name not in ("sources", "steps")}
    return {"sources": sources, "steps": steps, "order of the steps": list(steps), **others}


def _said(value: object) -> str:
    return short(setting(value), 200)


def _amounts(old: Summary, new: Summary) -> Table:
    rows = [
        (Cell(name), amount_cell(left), amount_cell(right))
        for name, left, right in (
            ("read", readable(old), readable(new)), ("trained on", old.facts.train, new.facts.train),
            ("held out", old.facts.held_out, new.facts.held_out),
        )
    ]  # fmt: skip
    return Table(("", "Other", "This"), tuple(rows), frozenset({"Other", "This"}))


def _shares(axis: str, old: list[Moved], new: list[Moved]) -> Table:
    left, right = ({row.value: row.after.bytes for row in rows} for rows in (old, new))
    all_left, all_right = max(1, sum(left.values())), max(1, sum(right.values()))
    values = [
        value for value in dict.fromkeys([*right, *left])
        if max(left.get(value, 0) / all_left, right.get(value, 0) / all_right) >= _LEAST_SHARE
    ][:_MOST]  # fmt: skip
    lines: list[tuple[Cell, ...]] = []
    for value in values:
        before, after = left.get(value, 0), right.get(value, 0)
        shift = effect(after / all_right - before / all_left, 1).replace("%", "points")
        lines.append(
            (
                Cell(value),
                Cell(share(before / all_left), show_bytes(before)),
                Cell(share(after / all_right), show_bytes(after)),
                Cell(shift),
            )
        )
    columns = (axis.capitalize(), "Other", "This", "Shift")
    return Table(
        columns,
        tuple(lines),
        frozenset(columns[1:]),
        f"Shares of the bytes trained on, by {axis}; below 0.1 % in both are left out.",
    )
