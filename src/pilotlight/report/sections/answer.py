"""The answer, on one screen: what to do, why, how sure, and what would change it."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.record.commitment import DEVIATION
from pilotlight.record.decision import Decision, Target
from pilotlight.report.block import Block, Cell, Gauge, Headline, Span, Tone, cell
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import chance, digits, fixed, percent, shown
from pilotlight.report.wording import LAUNCH, counted, duration, fold, metric_of, money, sentences, spoken
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.metric import Metric


@final
class Answer(Section):
    """The decision; or that there is none yet, or none that may be believed."""

    slot: ClassVar[Slot] = Slot.HEADER
    order: ClassVar[int] = 0
    title: ClassVar[str] = "Decision"

    def write(self, study: Study) -> Block | None:
        """Return the headline of the page."""
        if study.void:
            return Block(pieces=(_void(study),))
        if study.decision is None:
            return Block(pieces=(_in_progress(study),))
        return Block(pieces=(_decided(study, study.decision),))


def _void(study: Study) -> Headline:
    return Headline(
        word="VOID",
        tone="bad",
        kicker="No verdict",
        because=(
            "The records of this pilot are not what was written, so nothing on this page may be used to decide.",
            study.void,
        ),
    )


def _in_progress(study: Study) -> Headline:
    rows = study.rows()
    done = sum(row.status == "finished" for row in rows)
    lost = len(rows) - done
    running = sum(curve.name not in {row.name for row in rows} for curve in study.curves)
    return Headline(
        word="IN PROGRESS",
        tone="quiet",
        kicker="No decision yet",
        because=(
            f"{counted(done, 'trial')} finished, {running} begun, {lost} failed or killed.",
            "This page shows what is on disk so far; nothing has been decided.",
        ),
        figures=(("Trials finished", Cell(str(done))), ("Rungs begun", Cell(str(len(study.scales()))))),
    )


def _decided(study: Study, decision: Decision) -> Headline:
    target = decision.target
    metric = metric_of(study)
    asked = study.setting("goal.confidence")
    wanted = f"a GO asks for {percent(float(asked), 0)}" if isinstance(asked, int | float) else ""
    hope = "–" if target.probability is None else chance(target.probability)
    return Headline(
        word=decision.launch.value,
        tone=LAUNCH[decision.launch],
        kicker="The full run",
        because=sentences(study, decision.because),
        figures=(
            ("Chance of reaching the target", Cell(hope, wanted, "", _chance_tone(target.probability, asked))),
            (f"Predicted {spoken(target.metric)}", cell(target.prediction)),
            ("Time of the full run", duration(decision.cost.seconds)),
            (f"Cost, {decision.cost.basis}", money(decision.cost.money)),
        ),
        gauge=_gauge(target, metric),
        would_change=sentences(study, decision.would_change),
        marks=(
            (_when_fixed(study), Cell(decision.criteria, code=True)),
            ("Deviations from them", Cell("; ".join(decision.deviations) or "none")),
            ("Evidence", Cell(_evidence(decision))),
        ),
    )  # fmt: skip


def _when_fixed(study: Study) -> str:
    changed = any(entry.kind == DEVIATION for entry in study.entries)
    return "Criteria, CHANGED after the first trial" if changed else "Criteria, fixed before the first trial"


def _evidence(decision: Decision) -> str:
    text = counted(decision.trials.get("finished", 0), "training")
    return text if decision.forecast is None else f"{text}, extrapolated {fold(decision.forecast.reach)} in FLOPs"


def _chance_tone(probability: float | None, asked: object) -> Tone:
    if not isinstance(asked, int | float) or probability is None:
        return ""
    return "good" if probability >= asked else "bad" if probability < 0.5 else "open"


def _gauge(target: Target, metric: Metric) -> Gauge | None:
    estimates: list[tuple[str, Estimate]] = []
    if target.baseline is not None:
        estimates.append(("as declared", target.baseline))
    if target.prediction is not None and target.prediction != target.baseline:
        estimates.append(("with the adopted changes", target.prediction))
    if not estimates:
        return None
    ends = [target.threshold, *(end for _, item in estimates for end in (item.low, item.high))]
    low, high = min(ends), max(ends)
    pad = (high - low) * 0.08 or abs(high) * 0.01 or 1.0

    def place(value: float) -> float:
        return round(100 * (value - low + pad) / (high - low + 2 * pad), 2)

    def span(label: str, estimate: Estimate, bold: bool) -> Span:
        value, interval = shown(estimate)
        ends = place(estimate.low), place(estimate.value), place(estimate.high)
        return Span(label, *ends, text=value, note=f"{interval} {100 * estimate.level:g} %", bold=bold)

    places = digits(max(item.half_width for _, item in estimates))
    better = "smaller is better" if metric.better == "lower" else "larger is better"
    threshold = fixed(target.threshold, places)
    spoken_spans = "; ".join(f"{label} {' '.join(shown(item))}" for label, item in estimates)
    return Gauge(
        spans=tuple(span(label, item, index == len(estimates) - 1) for index, (label, item) in enumerate(estimates)),
        threshold=place(target.threshold),
        label=f"target {threshold}",
        better=f"{target.unit}, {better}",
        summary=f"Predicted {spoken(target.metric)}: {spoken_spans}; target {threshold}.",
    )
