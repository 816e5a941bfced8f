"""What was asked for before the first trial, and whether it is met."""

from __future__ import annotations

from typing import Any, ClassVar, final

from pilotlight.record.commitment import DEVIATION
from pilotlight.report.block import Block, Cell, Facts, Piece, Table, cell
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import chance, number, percent, setting
from pilotlight.report.wording import counted, dollars, metric_of, sentence, size, status
from pilotlight.units import show_seconds


@final
class Goal(Section):
    """The declared goal, the criteria of the launch, and what each of them found."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 10
    title: ClassVar[str] = "Goal and criteria"

    def write(self, study: Study) -> Block | None:
        """Return the goal; with a decision also every criterion and the targets."""
        pieces: list[Piece] = []
        facts = _declared(study)
        if facts:
            pieces.append(Facts(tuple(facts)))
        if study.decision is not None:
            pieces += [_targets(study), _checks(study)]
        changed = _changed(study)
        if changed is not None:
            pieces.insert(0, changed)
        lead = "Declared before the first trial and not changed since."
        if changed is not None:
            lead = "Changed after the first trial: what was declared first, and what is tested now."
        return Block(lead, tuple(pieces)) if pieces else None


def _changed(study: Study) -> Table | None:
    """Return the criteria as first declared beside those in force, or None where they are the same."""
    rows: list[tuple[Cell, ...]] = []
    details: list[str] = []
    for entry in (entry for entry in study.entries if entry.kind == DEVIATION):
        changes: Any = entry.facts.get("changes", {})
        for path, (old, new) in changes.items():
            after = counted(int(entry.facts.get("trials", 0)), "trial")
            rows.append((Cell(path), Cell(setting(old)), Cell(setting(new), tone="open"), Cell(f"after {after}")))
            details.append(sentence(f"Reason given: {entry.facts.get('why', '')}"))
    if not rows:
        return None
    return Table(("Criterion", "As first declared", "As tested", "Changed"), tuple(rows), details=tuple(details))


def _declared(study: Study) -> list[tuple[str, Cell]]:
    found: list[tuple[str, Cell]] = []
    metric = metric_of(study)
    target, run = study.setting("goal.target"), study.setting("goal.full_run", {})
    if _is_number(target):
        sign = "≤" if metric.better == "lower" else "≥"
        found.append(("Target", Cell(f"{sign} {number(target)} {metric.unit}", "on held-out text", metric.description)))
    if _is_number(run.get("parameters")) and _is_number(run.get("tokens")):
        found.append(("Full run", Cell(size(run["parameters"], run["tokens"]), "non-embedding parameters")))
    hardware = study.setting("goal.hardware", {})
    if hardware:
        count = hardware.get("count", 1)
        found.append(("Hardware", Cell(f"{count} × {hardware.get('accelerator', '?')}")))
    found.append(("Limits", _limits(study.setting("goal.limits", {}))))
    worth, level = study.setting("rule.worth"), study.setting("rule.level")
    if _is_number(worth) and _is_number(level):
        found.append(("Smallest effect that matters", Cell(percent(worth, 2), f"at {percent(level, 0)} confidence")))
    return found


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _limits(limits: Any) -> Cell:
    parts: list[str] = []
    if _is_number(limits.get("cost")):
        parts.append(dollars(limits["cost"]))
    if _is_number(limits.get("time")):
        parts.append(show_seconds(limits["time"]))
    return Cell(" and ".join(parts) or "none", tone="" if parts else "quiet")


def _targets(study: Study) -> Table:
    assert study.decision is not None
    target = study.decision.target
    threshold = Cell(number(target.threshold), target.unit)
    name = "Full run as declared" if not study.decision.changes else "Full run, changed to pass"
    declared = Cell(name, size(target.parameters, target.tokens), "size of the nearest shape")
    rows = [(declared, threshold, cell(target.baseline), _chance(target.baseline_probability))]
    if target.prediction != target.baseline:
        changed = Cell("Full run with the adopted changes")
        rows.append((changed, threshold, cell(target.prediction), _chance(target.probability)))
    return Table(
        columns=("Run", "Target", "Prediction", "Chance of reaching it"),
        rows=tuple(rows),
        numeric=frozenset({"Target", "Prediction", "Chance of reaching it"}),
    )


def _chance(probability: float | None) -> Cell:
    return Cell("–", note="not estimated", tone="quiet") if probability is None else Cell(chance(probability))


def _checks(study: Study) -> Table:
    assert study.decision is not None
    checks = study.decision.checks
    return Table(
        columns=("Criterion", "Asked for", "Found", "Status"),
        rows=tuple(
            (Cell(check.name), Cell(check.threshold), Cell(check.found), status(check.status)) for check in checks
        ),
        details=tuple(
            sentence(check.because, study.variants())
            + (f" Way out: {check.way_out.rstrip('.')}." if check.way_out and check.status != "pass" else "")
            for check in checks
        ),
        caption="The launch follows from these criteria by a rule in code.",
    )
