"""What the ladder of small runs says about the full run, and how far that can be trusted."""

from __future__ import annotations

import math
from typing import ClassVar, final

from pilotlight.record.decision import Target
from pilotlight.record.forecast import Prediction
from pilotlight.report.block import Block, Cell, Facts, Fold, Items, Paragraph, Piece, Plot, Table, cell
from pilotlight.report.chart import Axis, Chart, Rule, Series
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import effect, fixed, how, number, percent, shown
from pilotlight.report.wording import counted, flops, fold, metric_of, sentences, size, spoken, times
from pilotlight.stats.estimate import Estimate
from pilotlight.units import show_count

_PARTS = {
    "seed_noise": "Noise between runs of one set-up",
    "parameter": "Uncertain law parameters",
    "model": "Laws that miss held-out rungs",
    "law_spread": "Laws that disagree",
}


@final
class Forecast(Section):
    """The ladder with its laws and the band to the full run."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 20
    title: ClassVar[str] = "Forecast of the full run"

    def write(self, study: Study) -> Block | None:
        """Return the forecast, or the bare ladder while there is none."""
        ladder = _ladder(study)
        forecast = study.decision.forecast if study.decision else None
        if study.decision is None or forecast is None:
            chart = Chart(
                "ladder", "The baseline along the ladder", "One point per finished training of the baseline.",
                _compute(), _loss(study), ladder, legend=False,
            )  # fmt: skip
            return (
                Block(
                    "No law could be fitted yet."
                    if study.decision is None
                    else "The runs cannot carry a law; the criteria say why.",
                    (Plot(chart),),
                )
                if ladder
                else None
            )
        pieces: list[Piece] = [Plot(_chart(study, study.decision.target, forecast, ladder)), _reach(forecast)]
        if forecast.cautions:
            pieces.append(Items(sentences(study, forecast.cautions), "Cautions"))
        pieces += [_hold_out(forecast), _laws(study, forecast)]
        return Block(_lead(study, forecast), tuple(pieces))


def _lead(study: Study, forecast: Prediction) -> str:
    value, interval = shown(forecast.loss)
    tested = ""
    if forecast.hold_out:
        worst = max(item.relative_error for item in forecast.hold_out)
        alone = max((error for item in forecast.hold_out for error in item.by_law.values()), default=worst)
        tested = (
            f" Fitted without some of the rungs, the laws together missed them by up to {percent(worst, 2)}, "
            f"single ones by up to {percent(alone, 2)}."
        )
    return (
        f"{counted(forecast.runs, 'run')} at {counted(forecast.cells, 'size')} predict {value} {interval} "
        f"{forecast.loss.unit} for the full run as declared, {fold(forecast.reach)} the FLOPs of the largest rung.{tested}"
    )


def _compute() -> Axis:
    return Axis("training FLOPs", log=True)


def _loss(study: Study) -> Axis:
    metric = metric_of(study)
    return Axis(f"{spoken(metric.name)} on held-out text", log=True)


def _ladder(study: Study) -> tuple[Series, ...]:
    name = metric_of(study).name
    rows = [row for row in (study.results.ladder() if study.results else ()) if name in row.metrics and row.flops > 0]
    groups = (
        ("baseline runs", [row for row in rows if not row.repeat]),
        ("A/A repeats", [row for row in rows if row.repeat]),
    )
    return tuple(
        Series(
            label, tuple(row.flops for row in found), tuple(row.metrics[name] for row in found), color=0,
            symbol="open" if label == "A/A repeats" else "circle",
            notes=tuple(
                f"{row.name}\n{number(row.metrics[name])} {metric_of(study).unit}\n{size(row.parameters, row.tokens)}"
                for row in found
            ),
        )
        for label, found in groups
        if found
    )  # fmt: skip


def _chart(study: Study, target: Target, forecast: Prediction, ladder: tuple[Series, ...]) -> Chart:
    curve = forecast.curve
    x, level = tuple(point.flops for point in curve), f"{100 * forecast.loss.level:g} %"
    values = tuple(point.value for point in curve)
    unit = forecast.loss.unit
    path = (
        Series(
            f"{level} band", x, values, tuple(p.low for p in curve), tuple(p.high for p in curve), "band", color=1
        ),
        Series(
            "predicted path", x, values, style="line", color=1,
            notes=tuple(
                f"{size(p.parameters, p.tokens)}\n{number(p.value)} [{number(p.low)}, {number(p.high)}] {unit}"
                for p in curve
            ),
        ),
    ) if curve else ()  # fmt: skip
    singles = Series(
        "single laws", (forecast.flops,) * len(forecast.laws), tuple(law.at_target.value for law in forecast.laws),
        color=5, symbol="diamond",
        notes=tuple(f"{law.name}\n{law.at_target}\nweight {percent(law.weight, 0)}" for law in forecast.laws),
    )  # fmt: skip
    full = _full(forecast, "full run, as declared", forecast.loss, 1)
    changed = () if target.prediction is None or target.prediction == target.baseline else (
        _full(forecast, "full run, with changes", target.prediction, 3, 1.18),
    )  # fmt: skip
    reached = _reached(study, target)
    return Chart(
        "forecast",
        f"Predicted {spoken(target.metric)} of the full run",
        "Points are finished trainings; the band holds one run of the full size with the stated confidence, model "
        "error included. Diamonds show what each law says alone.",
        _compute(), _loss(study), (*path, *ladder, singles, full, *changed, *reached),
        rules=(Rule("y", target.threshold, f"target {number(target.threshold)} {target.unit}"),), height=440,
    )  # fmt: skip


def _reached(study: Study, target: Target) -> tuple[Series, ...]:
    if study.full is None or target.metric not in study.full.facts.metrics:
        return ()
    facts, name = study.full.facts, f"{'another' if study.full.unlike else 'full'} run, reached"
    value = facts.metrics[target.metric]
    note = f"{name}\n{number(value)} {target.unit}\n{size(facts.parameters, facts.tokens)}"
    return (Series(name, (facts.flops,), (value,), color=2, symbol="star", notes=(note,)),)


def _full(forecast: Prediction, name: str, loss: Estimate, color: int, aside: float = 1.0) -> Series:
    note = f"{name}\n{' '.join(shown(loss))} {loss.unit}\n{how(loss)}"
    return Series(
        name,
        (forecast.flops * aside,),
        (loss.value,),
        (loss.low,),
        (loss.high,),
        color=color,
        symbol="star",
        notes=(note,),
    )


def _reach(forecast: Prediction) -> Facts:
    decades = math.log10(forecast.reach)
    return Facts((
        ("Reach in FLOPs", Cell(times(forecast.reach), f"{fixed(decades, 1)} decades beyond the largest rung")),
        ("Reach in parameters", Cell(times(forecast.reach_parameters), forecast.size)),
        ("Reach in tokens", Cell(times(forecast.reach_tokens), f"to {show_count(forecast.tokens)}")),
        ("Interval", Cell(f"{100 * forecast.loss.level:g} %", forecast.loss.method)),
    ))  # fmt: skip


def _hold_out(forecast: Prediction) -> Fold:
    if not forecast.hold_out:
        text = "The ladder has too few rungs to leave one out, so the error of the laws is a prior belief."
        return Fold("Tried on rungs it had not seen", (Paragraph(text),))
    predicted, observed = (f"{name} ({forecast.loss.unit})" for name in ("Predicted", "Observed"))
    table = Table(
        columns=("Left out", "Fitted sizes", "Distance", predicted, observed, "Error"),
        rows=tuple(
            (
                Cell(item.what), Cell(str(item.fitted_cells)), Cell(f"{fixed(item.decades, 2)} decades"),
                Cell(number(item.predicted)), Cell(number(item.observed)),
                Cell(effect(item.predicted / item.observed - 1), f"rms {percent(item.relative_error, 2)}"),
            )
            for item in forecast.hold_out
        ),
        numeric=frozenset({"Fitted sizes", "Distance", predicted, observed, "Error"}),
        caption="Each line leaves rungs out, fits the laws to the rest and predicts what was left out.",
    )  # fmt: skip
    return Fold("Tried on rungs it had not seen", (table,))


def _laws(study: Study, forecast: Prediction) -> Fold:
    del study
    at_target = f"At the full run ({forecast.loss.unit})"
    laws = Table(
        columns=("Law", at_target, "Weight", "Hold-out error per decade"),
        rows=tuple(
            (
                Cell(law.name), cell(law.at_target), Cell(percent(law.weight, 0)),
                Cell("–" if law.hold_out_error is None else percent(law.hold_out_error, 2)),
            )
            for law in forecast.laws
        ),
        numeric=frozenset({at_target, "Weight", "Hold-out error per decade"}),
        details=tuple(law.equation for law in forecast.laws),
        caption="Intervals of single laws carry their parameter error only.",
    )  # fmt: skip
    parts = Facts(tuple(
        (_PARTS.get(name, spoken(name)), Cell(percent(share, 2), "relative standard deviation"))
        for name, share in forecast.components.items()
    ))  # fmt: skip
    degrees = Facts((
        ("Degrees of freedom", Cell(fixed(forecast.degrees_of_freedom, 1))),
        ("Size of the full run", Cell(size(forecast.parameters, forecast.tokens), flops(forecast.flops))),
    ))  # fmt: skip
    return Fold("Laws, weights and where the width of the interval comes from", (laws, parts, degrees))
