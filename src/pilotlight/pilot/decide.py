"""The launch decision: criteria tested one by one, and one word that follows from them by rule.

GO                every check passes and nothing was changed.
GO WITH CHANGES   every check passes for the full run with the adopted variants in it.
NO-GO             a check fails that no listed change mends.
MORE EVIDENCE     otherwise: an interval straddles its threshold, or a number is assumed instead of measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from pilotlight.manifest import versions
from pilotlight.pilot import cost
from pilotlight.pilot.adoption import Adoption, compatible
from pilotlight.pilot.advice import advice, not_tested
from pilotlight.pilot.analyse import Analysis
from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.criteria import limit_checks, stability_check, target_check, text_check
from pilotlight.pilot.forecast import forecast
from pilotlight.pilot.full import counted
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.decision import Check, Decision, Launch, Target
from pilotlight.record.results import Results
from pilotlight.stats.verdict import Verdict
from pilotlight.units import show_chance, show_count


def decide(
    pilot: Pilot,
    results: Results,
    analysis: Analysis,
    calibration: Calibration,
    planned: dict[str, int],
    vocabularies: dict[str, int],
    deviations: tuple[str, ...] = (),
) -> Decision:
    """Return the decision that the declared criteria and the finished trials lead to; no clock, no order of arrival.

    ``vocabularies`` holds the number of ids of each tokenizer by its fingerprint; ``deviations`` what was not the same
    from the first trial to the last.
    """
    adoption = compatible(pilot, analysis.findings)
    base = counted(pilot.full_plan(), vocabularies)
    full = counted(pilot.full_plan(adoption.names), vocabularies) if adoption.adopted else base
    found = forecast(pilot, results, adoption.adopted, base, full)
    price = cost.full_run(pilot.goal.hardware, calibration, base, full, sum(row.flops for row in results.finished()))
    checks = (
        target_check(pilot, found),
        *limit_checks(pilot, price),
        text_check(pilot, results, adoption.names, full.plan.tokens),
        stability_check(results, adoption.names),
    )
    launch = _launch(checks, adoption)
    states = [row.status for row in results.rows]
    return Decision(
        question=pilot.question,
        criteria=pilot.criteria,
        deviations=deviations,
        worth=pilot.rule.worth,
        launch=launch,
        because=_because(launch, checks, adoption, found.target),
        would_change=_would_change(checks, analysis, found.target, pilot.goal.confidence),
        target=found.target,
        checks=checks,
        findings=analysis.findings,
        adopted=adoption.names,
        noise=analysis.noise,
        forecast=found.baseline,
        cost=price,
        trials=planned | {state: states.count(state) for state in ("finished", "failed", "killed")},
        advice=advice(pilot, results, found.baseline),
        not_tested=not_tested(pilot, results, adoption.names, found.target),
        versions=versions("torch", "numpy", "scipy", "tokenizers"),
    )


def _launch(checks: Sequence[Check], adoption: Adoption) -> Launch:
    states = {check.status for check in checks}
    if "fail" in states:
        return Launch.NO_GO
    if "unknown" in states:
        return Launch.MORE_EVIDENCE
    return Launch.GO_WITH_CHANGES if adoption.adopted else Launch.GO


def _because(launch: Launch, checks: Sequence[Check], adoption: Adoption, target: Target) -> tuple[str, ...]:
    found: list[str] = []
    if target.prediction is not None and target.probability is not None:
        found.append(
            f"The full run ({show_count(target.parameters)} parameters, {show_count(target.tokens)} tokens) is predicted "
            f"to reach {target.prediction.value:.3f} {target.unit} ({target.prediction.low:.3f} to "
            f"{target.prediction.high:.3f}), and the target of {target.threshold:g} with "
            f"{show_chance(target.probability)} probability."
        )
    hurdles = [check for check in checks if check.status != "pass"]
    found += [f"{check.name.capitalize()}: {check.because} ({check.found})." for check in hurdles]
    if adoption.adopted:
        found.append(f"Adopted into the full run: {', '.join(adoption.names)}.")
    found += adoption.left_out.values()
    if launch is Launch.GO and not adoption.adopted:
        found.append("No variant was shown to be worth a change.")
    return tuple(found)


def _would_change(checks: Sequence[Check], analysis: Analysis, target: Target, confidence: float) -> tuple[str, ...]:
    ways = [f"{check.name}: {check.way_out}" for check in checks if check.way_out]
    ways += [f"{item.variant}: {item.next}" for item in analysis.findings if item.verdict is Verdict.UNDECIDED]
    prediction = target.prediction
    if prediction is not None and target.probability is not None:
        is_hopeful = target.probability >= confidence
        side, word = (prediction.high, "above") if is_hopeful else (prediction.low, "below")
        ways.append(
            f"a full run of {show_count(target.parameters)} parameters that ends {word} {side:.3f} {target.unit} would "
            "contradict this prediction."
        )
    return tuple(ways)
