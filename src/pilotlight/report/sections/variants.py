"""Which changes are worth making: effects with intervals, verdicts, power."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.record.decision import Decision, Finding
from pilotlight.report.beyond import beyond
from pilotlight.report.block import Block, Cell, Fold, Piece, Plot, Table, effect_cell
from pilotlight.report.chart import Axis, Chart, Region, Rule, Series
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import fixed, how, percent, setting, small_p
from pilotlight.report.tuned import tuned_table
from pilotlight.report.wording import listed, metric_of, sentence, spoken, verdict
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.verdict import Verdict

_LOOKS: dict[Verdict, tuple[int, str]] = {
    Verdict.ADOPT: (3, "circle"), Verdict.REJECT: (2, "square"), Verdict.EQUIVALENT: (0, "diamond"),
    Verdict.UNDECIDED: (6, "open"),
}  # fmt: skip


@final
class Variants(Section):
    """Every variant against the baseline."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 30
    title: ClassVar[str] = "Variants"

    def write(self, study: Study) -> Block | None:
        """Return the forest plot and the table of findings, or what was planned while there are none."""
        decision = study.decision
        if decision is None:
            return _planned(study)
        if not decision.findings:
            return _planned(study)
        pieces: list[Piece] = [Plot(_forest(study, decision)), _table(study, decision)]
        if (tuned := tuned_table(study)) is not None:
            pieces.append(tuned)
        if any(finding.carried or finding.comparison.shrunken for finding in decision.findings):
            pieces.append(beyond(study, decision))
        trend = _trend(study, decision)
        inner = (Plot(trend), _sizes(study, decision)) if trend else (_sizes(study, decision),)
        pieces.append(Fold("Effects at every size, and what each variant changes", (*inner, _changes(decision))))
        return Block(" ".join(filter(None, (_lead(decision), decision.tuning, decision.allocation))), tuple(pieces))


def _planned(study: Study) -> Block | None:
    planned = study.setting("variants", {})
    if not planned or study.void:
        return None
    finished = {name: len(list(study.results.finished(name))) if study.results else 0 for name in planned}
    rows = tuple(
        (
            Cell(name, str(planned[name].get("why", ""))), Cell(setting(planned[name].get("set", {})), code=True),
            Cell(str(finished[name])),
        )
        for name in planned
    )  # fmt: skip
    state = (
        "verdicts follow when the trials are done" if study.decision is None else "too few runs to compare any of them"
    )
    allocation = study.decision.allocation if study.decision is not None else ""
    return Block(f"Planned; {state}. {allocation}".rstrip(), (
        Table(("Variant", "Change", "Finished trials"), rows, frozenset({"Finished trials"})),
    ))  # fmt: skip


def _lead(decision: Decision) -> str:
    by: dict[Verdict, list[str]] = {}
    beaten: list[str] = []
    for finding in decision.findings:
        left_out = finding.verdict is Verdict.ADOPT and finding.variant not in decision.adopted
        (beaten if left_out else by.setdefault(finding.verdict, [])).append(finding.variant)
    words = {
        Verdict.ADOPT: "go into the full run", Verdict.REJECT: "are left out",
        Verdict.EQUIVALENT: "make no difference that matters", Verdict.UNDECIDED: "could not be decided",
    }  # fmt: skip
    single = {
        Verdict.ADOPT: "goes into the full run", Verdict.REJECT: "is left out",
        Verdict.EQUIVALENT: "makes no difference that matters", Verdict.UNDECIDED: "could not be decided",
    }  # fmt: skip
    parts = [
        f"{listed(by[kind])} {words[kind] if len(by[kind]) > 1 else single[kind]}" for kind in Verdict if kind in by
    ]
    if beaten:
        parts.append(f"{listed(beaten)} won too, but cannot go in beside what won by more")
    text = "; ".join(parts)
    return f"{text}."


def _table(study: Study, decision: Decision) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for finding in decision.findings:
        found = finding.comparison
        paired = f"{found.pairing.used}, correlation over shared seeds {fixed(found.pairing.correlation, 2)}"
        rows.append((
            Cell(finding.variant, finding.why), verdict(finding.verdict), effect_cell(found.effect, f"; {paired}"),
            Cell(small_p(found.p_adjusted), f"plain {small_p(found.p_value)}", "two-sided; adjusted for false discovery"),
            Cell(percent(found.power, 0), f"sees {percent(found.detectable, 2)}",
                 "chance of seeing an effect of the declared worth; the smallest effect seen with the declared power"),
            Cell(str(found.seeds), found.pairing.used, paired), effect_cell(finding.confirmation),
        ))  # fmt: skip
    metric = metric_of(study)
    direction = "negative is better" if metric.better == "lower" else "positive is better"
    return Table(
        columns=("Variant", "Verdict", "Effect", "p", "Power", "Seeds", "Fresh seeds"),
        rows=tuple(rows),
        numeric=frozenset({"Effect", "p", "Power", "Seeds", "Fresh seeds"}),
        details=tuple(_detail(finding, study.variants()) for finding in decision.findings),
        caption=f"Effects are relative changes of {spoken(metric.name)} against the baseline; {direction}. Intervals are "
        f"corrected for {len(decision.findings)} comparisons; p is adjusted for false discovery.",
    )


def _detail(finding: Finding, names: tuple[str, ...]) -> str:
    cautions = "".join(f" Caution: {caution}." for caution in finding.comparison.cautions)
    return f"{sentence(finding.because, names)} Next: {finding.next.rstrip('.')}.{cautions}"


def _forest(study: Study, decision: Decision) -> Chart:
    names = tuple(finding.variant for finding in decision.findings)
    series: list[Series] = []
    for place, finding in enumerate(decision.findings):
        color, symbol = _LOOKS[finding.verdict]
        series.append(
            _point(finding.verdict.value, finding.comparison.effect, float(place), color, symbol, finding.variant)
        )
        if finding.confirmation is not None:
            series.append(_point("fresh seeds", finding.confirmation, place + 0.28, 7, "star", finding.variant))
    worth = decision.worth
    metric = metric_of(study)
    direction = "negative is better" if metric.better == "lower" else "positive is better"
    return Chart(
        "variants",
        "Effect of each variant",
        f"{direction.capitalize()}. Intervals are over training runs, corrected for the number of variants. Effects "
        "inside the shaded band are too small to matter.",
        Axis(f"relative change of {spoken(metric.name)}", percent=True), Axis("", names=names),
        tuple(sorted(series, key=lambda item: item.name)),
        (Region("x", -worth, worth, f"worth ±{percent(worth, 2)}"),), (Rule("x", 0.0, ""),),
        height=150 + 52 * len(names),
    )  # fmt: skip


def _point(name: str, estimate: Estimate, y: float, color: int, symbol: str, variant: str) -> Series:
    shown = effect_cell(estimate)
    return Series(
        name, (estimate.value,), (y,), (estimate.low,), (estimate.high,), color=color, symbol=symbol,  # pyright: ignore
        sideways=True, notes=(f"{variant}: {name}\n{shown.text} {shown.small}\n{how(estimate)}",),
    )  # fmt: skip


def _sizes_of(study: Study) -> dict[str, float]:
    return {row.scale: row.flops for row in study.rows() if row.status == "finished" and row.flops > 0}


def _trend(study: Study, decision: Decision) -> Chart | None:
    sizes = _sizes_of(study)
    series: list[Series] = []
    for place, finding in enumerate(decision.findings):
        known = {scale: item for scale, item in finding.comparison.by_scale.items() if scale in sizes}
        aside = 1 + 0.06 * (place - (len(decision.findings) - 1) / 2)  # intervals beside, not on, each other
        series.append(
            Series(
                finding.variant, tuple(sizes[scale] * aside for scale in known), tuple(e.value for e in known.values()),
                tuple(e.low for e in known.values()), tuple(e.high for e in known.values()), "both",
                study.color(finding.variant), thin=True,
                notes=tuple(f"{finding.variant} at {scale}\n{how(e)}" for scale, e in known.items()),
            )
        )  # fmt: skip
    if not any(len(item.x) > 1 for item in series):
        return None
    return Chart(
        "trend", "Effects along the ladder",
        "An effect that shrinks with size may be gone at the full run. Intervals of single sizes are not corrected.",
        Axis("training FLOPs", log=True), Axis("relative change", percent=True), tuple(series),
        rules=(Rule("y", 0.0, ""),),
    )  # fmt: skip


def _sizes(study: Study, decision: Decision) -> Table:
    ordered = study.scales()
    seen = {scale for finding in decision.findings for scale in finding.comparison.by_scale}
    scales = [scale for scale in ordered if scale in seen] + sorted(seen - set(ordered))
    return Table(
        columns=("Variant", *scales),
        rows=tuple(
            (
                Cell(finding.variant),
                *(effect_cell(finding.comparison.by_scale.get(scale)) for scale in scales),
            )
            for finding in decision.findings
        ),
        numeric=frozenset(scales),
    )


def _changes(decision: Decision) -> Table:
    rows = [
        (Cell(finding.variant), Cell(path, code=True), Cell(setting(old), code=True), Cell(setting(new), code=True))
        for finding in decision.findings
        for path, (old, new) in finding.changes.items()
    ]
    return Table(("Variant", "Setting", "Baseline", "Variant's value"), tuple(rows))
