"""What each part of the baseline is worth, where variants lack one each."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.record.decision import Finding
from pilotlight.record.results import WITHOUT
from pilotlight.report.block import Block, Cell, Table, effect_cell
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.wording import listed, metric_of, spoken
from pilotlight.stats.verdict import Verdict

_SAID: dict[Verdict, tuple[str, str]] = {
    Verdict.REJECT: ("keep", "without it the runs are worse beyond chance"),
    Verdict.ADOPT: ("drop", "without it the runs are better beyond chance"),
    Verdict.EQUIVALENT: ("worth nothing", "shown to matter less than the declared worth"),
    Verdict.UNDECIDED: ("not known", "the runs cannot tell"),
}


@final
class Parts(Section):
    """The ablation: every part by what the runs lose without it."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 31
    title: ClassVar[str] = "What each part is worth"

    def write(self, study: Study) -> Block | None:
        """Return the parts by their worth, or None where no variant lacks one."""
        findings = study.decision.findings if study.decision else ()
        lacking = [finding for finding in findings if finding.variant.startswith(WITHOUT)]
        if not lacking:
            return None
        metric = metric_of(study)
        sign = 1.0 if metric.better == "lower" else -1.0
        ordered = sorted(lacking, key=lambda finding: -sign * finding.comparison.effect.value)
        rows = tuple(_row(finding, sign) for finding in ordered)
        needed = [_name(finding) for finding in ordered if finding.verdict is Verdict.REJECT]
        idle = [_name(finding) for finding in ordered if finding.verdict in (Verdict.ADOPT, Verdict.EQUIVALENT)]
        said = [f"{listed(needed)} {'earn' if len(needed) > 1 else 'earns'} a place"] if needed else []
        said += [f"{listed(idle)} can go"] if idle else []
        lead = "; ".join(said) or "no part could be shown to matter or not to matter"
        table = Table(
            ("Part", "Worth", "So"), rows, frozenset({"Worth"}),
            caption=f"Worth is what {spoken(metric.name)} loses when that one part is taken away, with the interval of the table "
            "above; parts that stand in for each other are worth more together than these say.",
        )  # fmt: skip
        return Block(f"{lead[0].upper()}{lead[1:]}.", (table,))


def _name(finding: Finding) -> str:
    return finding.variant.removeprefix(WITHOUT)


def _row(finding: Finding, sign: float) -> tuple[Cell, ...]:
    found = finding.comparison.effect
    low, high = sorted((sign * found.low, sign * found.high))
    worth = found.model_copy(update={"value": sign * found.value, "low": low, "high": high})
    word, why = _SAID[finding.verdict]
    return Cell(_name(finding), finding.why), effect_cell(worth), Cell(word, why)
