"""The launch decision: criteria tested one by one, and one word that follows from them by rule.

GO                every check passes and nothing was changed.
GO WITH CHANGES   every check passes for the full run with the adopted variants in it.
NO-GO             a check fails that no listed change mends.
MORE EVIDENCE     otherwise: an interval straddles its threshold, or a number is assumed instead of measured.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pilotlight.errors import EvidenceError
from pilotlight.manifest import versions
from pilotlight.pilot import cost
from pilotlight.pilot.advice import advice, not_tested
from pilotlight.pilot.analyse import Analysis
from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.prepare import FREE_EPOCHS, MOST_EPOCHS
from pilotlight.record.decision import Check, Cost, Decision, Finding, Launch, Target
from pilotlight.record.forecast import Prediction
from pilotlight.record.results import BASELINE, Results
from pilotlight.scaling.points import Point
from pilotlight.scaling.predict import predict
from pilotlight.spec import fingerprint
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.metric import metric
from pilotlight.stats.verdict import Verdict
from pilotlight.train.plan import Plan
from pilotlight.units import show_count, show_seconds, show_share

# An effect measured at pilot size may fade or grow on the way to the full size; one standard deviation of half the
# effect is assumed for it, until trends over scales are modelled (see docs/statistics.md).
CARRY_OVER = 0.5

_ASSUMED = "the throughput is assumed, not measured, and an assumed cost cannot yield GO"
_MEASURE = "measure on the target hardware: `pilot doctor --bench PLAN --receipt FILE` there."


@dataclass(frozen=True)
class Forecast:
    """The prediction for the full run as declared, and with the adopted variants; ``why`` if there is none."""

    baseline: Prediction | None
    target: Target
    why: str = ""


def points(results: Results, metric_name: str) -> list[Point]:
    """Return the finished baseline runs as points of a scaling law."""
    return [
        Point(
            parameters=row.parameters, tokens=row.tokens, flops=row.flops, loss=row.metrics[metric_name], seed=row.name
        )
        for row in results.ladder()
    ]


def _with_changes(base: Prediction, findings: list[Finding], level: float) -> tuple[Estimate, float, float]:
    """Return the prediction with the adopted effects, their sum of logs and the SD that they add (relative)."""
    shift = sum(math.log1p(item.comparison.effect.value) for item in findings)
    added = math.sqrt(sum(item.comparison.error**2 for item in findings) + (CARRY_OVER * shift) ** 2)
    loss = base.loss
    half = math.log(loss.high / loss.low) / 2
    wide = math.sqrt(half**2 + (2 * added) ** 2)
    value = loss.value * math.exp(shift)
    names = ", ".join(item.variant for item in findings)
    estimate = Estimate(
        value=value, low=value * math.exp(-wide), high=value * math.exp(wide), level=level, unit=loss.unit, n=loss.n,
        method=f"{loss.method}; times the measured effect of {names}, assumed to carry over within half of itself",
        cautions=loss.cautions,
    )  # fmt: skip
    return estimate, shift, added


def _probability(base: Prediction, threshold: float, shift: float, added: float, level: float) -> float:
    """Return the chance of a loss of at most ``threshold`` once ``shift`` and its spread are added to the prediction."""
    if shift == 0:
        return base.probability_below(threshold)
    middle = math.log(base.loss.value)
    sd = math.log(base.loss.high / base.loss.low) / 4 if level >= 0.9 else math.log(base.loss.high / base.loss.low) / 3
    widening = sd / math.hypot(sd, added) if sd > 0 else 1.0
    return base.probability_below(math.exp(middle + (math.log(threshold) - middle - shift) * widening))


def forecast(pilot: Pilot, results: Results, adopted: list[Finding], flops: float) -> Forecast:
    """Return what the full run is predicted to reach."""
    goal, level = pilot.goal, pilot.rule.level
    unit = metric(goal.metric).unit
    blank = Target(
        metric=goal.metric, unit=unit, threshold=goal.target, prediction=None, probability=None, baseline=None,
        baseline_probability=None,
    )  # fmt: skip
    try:
        base = predict(
            points(results, goal.metric),
            goal.full_run.parameters,
            goal.full_run.tokens,
            flops=flops,
            level=level,
            unit=unit,
        )
    except EvidenceError as error:
        return Forecast(None, blank, str(error))
    chance = base.probability_below(goal.target)
    found = {"baseline": base.loss, "baseline_probability": chance, "prediction": base.loss, "probability": chance}
    if adopted:
        estimate, shift, added = _with_changes(base, adopted, level)
        found |= {"prediction": estimate, "probability": _probability(base, goal.target, shift, added, level)}
    return Forecast(base, blank.model_copy(update=found))


def _target_check(pilot: Pilot, found: Forecast) -> Check:
    goal = pilot.goal
    threshold = f"at most {goal.target:g} {found.target.unit} with {show_share(goal.confidence, 0)} probability"
    chance = found.target.probability
    if chance is None or found.target.prediction is None:
        return Check(
            name="target", threshold=threshold, found="no prediction", status="unknown", because=found.why,
            way_out="train the baseline at three or more sizes (raise the budget, or add scales).",
        )  # fmt: skip
    status = "pass" if chance >= goal.confidence else "fail" if chance <= 1 - goal.confidence else "unknown"
    reason = {
        "pass": "the prediction clears the target",
        "fail": "the prediction misses the target",
        "unknown": "the prediction's interval straddles the target",
    }[status]
    return Check(
        name="target", threshold=threshold, found=f"{found.target.prediction}; probability {show_share(chance, 0)}",
        status=status, because=reason,
        way_out="" if status == "pass" else "a larger full run, better data, or a rung closer to the full size.",
    )  # fmt: skip


def _limit_check(name: str, limit: float | None, estimate: Estimate | None, spent: Cost, show: str) -> Check:
    def text(value: float) -> str:
        return show_seconds(value) if show == "s" else f"{value:,.2f} USD"

    if limit is None:
        return _unlimited(name, _range(estimate, text), spent)
    threshold = f"P90 at most {text(limit)}"
    if estimate is None:
        return Check(name=name, threshold=threshold, found="no price known", status="unknown",
                     because="no price is known for this hardware", way_out="give goal.hardware.price_per_hour.")  # fmt: skip
    status = "pass" if estimate.high <= limit else "fail" if estimate.low > limit else "unknown"
    because = {"pass": "even the slow case stays inside", "fail": "even the quick case exceeds it",
               "unknown": "it depends on how the run goes"}[status]  # fmt: skip
    if spent.basis == "assumed" and status == "pass":
        status, because = "unknown", _ASSUMED
    way_out = "" if status == "pass" else (
        _MEASURE if spent.basis == "assumed" else "a smaller full run, other hardware, or a higher limit."
    )  # fmt: skip
    return Check(
        name=name, threshold=threshold, found=_range(estimate, text), status=status, because=because, way_out=way_out
    )


def _unlimited(name: str, found: str, spent: Cost) -> Check:
    if spent.basis == "assumed":
        return Check(name=name, threshold="no limit declared", found=found, status="unknown", because=_ASSUMED,
                     way_out=_MEASURE)  # fmt: skip
    return Check(name=name, threshold="no limit declared", found=found, status="pass",
                 because="nothing was declared that could be exceeded")  # fmt: skip


def _range(estimate: Estimate | None, text: object) -> str:
    if estimate is None or not callable(text):
        return "unknown"
    return f"{text(estimate.value)} (P10 {text(estimate.low)}, P90 {text(estimate.high)})"


def _text_check(epochs: float) -> Check:
    status = "pass" if epochs <= FREE_EPOCHS else "unknown" if epochs <= MOST_EPOCHS else "fail"
    because = {
        "pass": "repeating text this often costs almost nothing (Muennighoff et al. 2023)",
        "unknown": "repeated text is worth less than fresh text, and the law does not know it",
        "fail": "text repeated this often is worth almost nothing (Muennighoff et al. 2023)",
    }[status]
    return Check(
        name="text", threshold=f"at most {FREE_EPOCHS} epochs", found=f"{epochs:.1f} epochs in the full run", status=status,
        because=because, way_out="" if status == "pass" else "more text, or fewer tokens in goal.full_run.",
    )  # fmt: skip


def _full_epochs(pilot: Pilot, results: Results) -> float:
    """Return how often the full run reads its text, from how often the longest baseline run read it."""
    longest = max(results.finished(BASELINE), key=lambda row: (row.tokens, row.name), default=None)
    return pilot.goal.full_run.tokens * longest.epochs / longest.tokens if longest else 0.0


def _runs_check(results: Results) -> Check:
    lost = results.lost()
    shaky = [row.name for row in results.finished(BASELINE) if row.incidents]
    ill = [row.name for row in lost if row.variant == BASELINE] + shaky
    return Check(
        name="stability", threshold="no baseline trial fails or skips steps",
        found=f"{len(ill)} of {sum(row.variant == BASELINE for row in results.rows)} baseline trials did",
        status="fail" if ill else "pass",
        because=f"first: {ill[0]}" if ill else "every baseline trial ran through without an incident",
        way_out="lower train.optim.lr, or look at the incident in the run's folder." if ill else "",
    )  # fmt: skip


def _launch(checks: list[Check], adopted: list[Finding]) -> Launch:
    states = {check.status for check in checks}
    if "fail" in states:
        return Launch.NO_GO
    if "unknown" in states:
        return Launch.MORE_EVIDENCE
    return Launch.GO_WITH_CHANGES if adopted else Launch.GO


def _because(launch: Launch, checks: list[Check], adopted: list[Finding], target: Target) -> tuple[str, ...]:
    found: list[str] = []
    if target.prediction is not None and target.probability is not None:
        found.append(
            f"The full run is predicted to reach {target.prediction.value:.3f} {target.unit} "
            f"({target.prediction.low:.3f} to {target.prediction.high:.3f}), and the target of {target.threshold:g} with "
            f"{show_share(target.probability, 0)} probability."
        )
    hurdles = [check for check in checks if check.status != "pass"]
    found += [f"{check.name.capitalize()}: {check.because} ({check.found})." for check in hurdles]
    if adopted:
        names = ", ".join(item.variant for item in adopted)
        found.append(f"Adopted into the full run: {names}.")
    if launch is Launch.GO and not adopted:
        found.append("No variant was shown to be worth a change.")
    return tuple(found)


def flops_of(plan: Plan, vocabularies: dict[str, int]) -> float:
    """Return the training FLOPs of a whole plan, counted from the model with the vocabulary of its tokenizer."""
    from pilotlight.model.size import measure

    size = measure(plan.model, vocabularies[fingerprint(plan.tokenizer)], plan.train.context)
    return size.training_flops_per_token * plan.tokens


def decide(
    pilot: Pilot,
    results: Results,
    analysis: Analysis,
    calibration: Calibration,
    planned: dict[str, int],
    vocabularies: dict[str, int],
) -> Decision:
    """Return the decision that the declared criteria and the finished trials lead to; no clock, no order of arrival.

    ``vocabularies`` holds the number of ids of each tokenizer by its fingerprint.
    """
    adopted = [item for item in analysis.findings if item.verdict is Verdict.ADOPT]
    plan = pilot.full_plan(tuple(item.variant for item in adopted))
    flops = flops_of(plan, vocabularies)
    found = forecast(pilot, results, adopted, flops_of(pilot.full_plan(), vocabularies))
    price = cost.full_run(
        pilot.goal.hardware, calibration, flops, plan.steps, sum(row.flops for row in results.finished())
    )
    checks = [
        _target_check(pilot, found),
        _limit_check("time", pilot.goal.limits.time, price.seconds, price, "s"),
        _limit_check("cost", pilot.goal.limits.cost, price.money, price, "USD"),
        _text_check(_full_epochs(pilot, results)),
        _runs_check(results),
    ]
    launch = _launch(checks, adopted)
    states = [row.status for row in results.rows]
    counts = {state: states.count(state) for state in ("finished", "failed", "killed")}
    return Decision(
        question=pilot.question,
        criteria=pilot.criteria,
        deviations=(),
        worth=pilot.rule.worth,
        launch=launch,
        because=_because(launch, checks, adopted, found.target),
        would_change=_would_change(checks, analysis, found, pilot),
        target=found.target,
        checks=tuple(checks),
        findings=analysis.findings,
        noise=analysis.comparisons.noise if analysis.comparisons else None,
        forecast=found.baseline,
        cost=price,
        trials={**planned, **counts},
        advice=advice(pilot, results, found.baseline),
        not_tested=not_tested(pilot),
        versions=versions("torch", "numpy", "scipy", "tokenizers"),
    )


def _would_change(checks: list[Check], analysis: Analysis, found: Forecast, pilot: Pilot) -> tuple[str, ...]:
    ways = [f"{check.name}: {check.way_out}" for check in checks if check.way_out]
    ways += [f"{item.variant}: {item.next}" for item in analysis.findings if item.verdict is Verdict.UNDECIDED]
    prediction = found.target.prediction
    if prediction is not None and found.target.probability is not None:
        side = prediction.high if found.target.probability >= pilot.goal.confidence else prediction.low
        word = "above" if found.target.probability >= pilot.goal.confidence else "below"
        ways.append(
            f"a full run of {show_count(pilot.goal.full_run.parameters)} parameters that ends {word} {side:.3f} "
            f"{found.target.unit} would contradict this prediction."
        )
    return tuple(ways)
