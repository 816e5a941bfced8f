"""How like the full run the pilot is, and what follows from the differences."""

from __future__ import annotations

from typing import Any, ClassVar, cast, final

from pilotlight.record.fidelity import FidelityAudit, FidelityRow
from pilotlight.report.block import Block, Cell, Fold, Items, Piece, Table, Tone
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import fixed, percent, setting
from pilotlight.report.wording import counted, flops, sentence, sentences, times
from pilotlight.units import show_count


@final
class Fidelity(Section):
    """The largest rung beside the full run, every difference with its class, and advice with its reason."""

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
        pieces += _audit(study, study.decision.fidelity)
        if study.decision.advice:
            pieces.append(Items(sentences(study, study.decision.advice), "Advice"))
        return Block(_lead(study.decision.fidelity), tuple(pieces)) if pieces else None


def _lead(audit: FidelityAudit) -> str:
    if not audit.compared:
        return "What differs between the pilot and the run it decides about."
    confounds = sum(row.kind == "confound" for row in audit.rows)
    count = len(audit.open)
    found = f"{counted(len(audit.rows), 'difference')} between {counted(audit.compared, 'training')} of the baseline, as they "
    found += "really were, and the plan of the full run"
    if not confounds:
        return f"{found}, each scaled by a rule, measured or harmless."
    found += f"; {confounds} of them may change the loss by an unknown amount"
    if not count:
        return f"{found}, none beyond what the interval carries."
    return (
        f"{found}, {count} beyond what the interval carries: no GO while {'it stands' if count == 1 else 'they stand'}."
    )


_TONES: dict[str, tuple[Tone, str]] = {
    "confound": ("quiet", "~"), "measured": ("good", "✓"), "scaled by rule": ("good", "✓"), "harmless": ("quiet", "="),
}  # fmt: skip


def _audit(study: Study, audit: FidelityAudit) -> list[Piece]:
    """Return the table of differences: confounds open to view, the rest folded."""
    confounds = [row for row in audit.rows if row.kind == "confound"]
    others = [row for row in audit.rows if row.kind != "confound"]
    pieces: list[Piece] = [_differences(study, confounds)] if confounds else []
    if others:
        summary = counted(len(others), "difference") + " that a rule scales, a variant measured, or that cannot matter"
        pieces.append(Fold(summary, (_differences(study, others),)))
    return pieces


def _differences(study: Study, rows: list[FidelityRow]) -> Table:
    return Table(
        ("Setting", "Pilot, by rung", "Full run", "Class"),
        tuple((Cell(row.setting), _by_rung(study, row), Cell(setting(row.full)), _class(row)) for row in rows),
        details=tuple(
            sentence(row.because, study.variants())
            + (f" Way out: {row.way_out.rstrip('.')}." if row.way_out and row.kind == "confound" else "")
            for row in rows
        ),
    )  # fmt: skip


def _class(row: FidelityRow) -> Cell:
    if row.is_open:
        return Cell("open confound", tone="bad", sign="✕")
    tone, sign = _TONES[row.kind]
    word = "confound, carried" if row.kind == "confound" else row.kind
    return Cell(word, tone=tone, sign=sign)


def _by_rung(study: Study, row: FidelityRow) -> Cell:
    """Return the values of the rungs, small to large; one where all have the same."""
    order = [name for name in study.scales() if name in row.pilot] or list(row.pilot)
    shown = [_several(row.pilot[name]) for name in order]
    if len(set(shown)) == 1:
        return Cell(shown[0], "at every rung")
    return Cell(" · ".join(shown), " · ".join(order))


def _several(value: Any) -> str:
    values: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
    return ", ".join(setting(item) for item in values)


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
