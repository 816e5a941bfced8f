"""The launch decision: criteria tested one by one, and one word that follows from them by rule.

The word follows from the states of the criteria by ``pilotlight.pilot.launch``. Where some fail, or are open, that fewer
training tokens would mend, the largest full run that passes all of them is decided about instead: GO WITH CHANGES.
"""

from __future__ import annotations

from collections.abc import Sequence

from pilotlight.manifest import versions
from pilotlight.pilot import cost
from pilotlight.pilot.adoption import Adoption, compatible
from pilotlight.pilot.advice import advice, not_tested
from pilotlight.pilot.analyse import Analysis
from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.criteria import full_epochs, limit_checks, stability_check, target_check, text_check
from pilotlight.pilot.fidelity import Training, audit
from pilotlight.pilot.forecast import forecast
from pilotlight.pilot.foretell import from_pilot
from pilotlight.pilot.full import Counted, counted
from pilotlight.pilot.gates import changes_check, data_check, drill_checks, evaluation_check, fidelity_check
from pilotlight.pilot.launch import launch
from pilotlight.pilot.next_pilot import settling_pilot
from pilotlight.pilot.observed import Observed
from pilotlight.pilot.outlook import with_outlook
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.shards import over_text
from pilotlight.record.decision import Change, Check, Decision, Launch, Target
from pilotlight.record.expense import THIS_MACHINE
from pilotlight.record.fidelity import FidelityAudit, FidelityRow
from pilotlight.record.results import BASELINE, Results
from pilotlight.spec import fingerprint, plain
from pilotlight.stats.verdict import Verdict
from pilotlight.units import show_chance, show_count

FEWER = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
"""Shares of the declared tokens that are tried where a smaller full run may pass."""
MENDED_BY_FEWER = frozenset({"time", "cost", "text", "fidelity"})
"""Criteria that fewer tokens may mend."""
NO_DRILLS = (
    "faults on the hardware of the full run, such as a kill, a full disk or a damaged checkpoint: no drill is recorded"
)


def decide(
    pilot: Pilot, results: Results, analysis: Analysis, calibration: Calibration, observed: Observed
) -> Decision:
    """Return the decision that the declared criteria and the finished trials lead to; no clock, no order of arrival."""
    analysis = over_text(pilot, results, analysis, observed.shards)
    declared = _decide(pilot, results, analysis, calibration, observed)
    hurdles = {check.name: check for check in declared.checks if check.status != "pass"}
    if not hurdles or not set(hurdles) <= MENDED_BY_FEWER or declared.cost.basis == "assumed":
        return declared
    for share in FEWER:
        tokens = float(f"{share * pilot.goal.full_run.tokens:.2g}")
        found = _decide(fewer_tokens(pilot, tokens), results, analysis, calibration, observed)
        if found.launch in (Launch.GO, Launch.GO_WITH_CHANGES):
            return _changed(declared, found, pilot.goal.full_run.tokens, tokens)
    return declared


def fewer_tokens(pilot: Pilot, tokens: float) -> Pilot:
    """Return the pilot with another number of tokens in its full run."""
    full_run = pilot.goal.full_run.model_copy(update={"tokens": tokens})
    return pilot.model_copy(update={"goal": pilot.goal.model_copy(update={"full_run": full_run})})


def _changed(declared: Decision, found: Decision, old: float, new: float) -> Decision:
    """Return the decision about the run with fewer tokens, as the change of the declared one that it is."""
    hurdles = [check for check in declared.checks if check.status != "pass"]
    reasons = "; ".join(f"{check.name}: {check.because} ({check.found})" for check in hurdles)
    change = Change(
        setting="goal.full_run.tokens", old=old, new=new, mends=tuple(check.name for check in hurdles),
        because=f"as declared the full run does not pass ({reasons}); with {show_count(new)} instead of {show_count(old)} "
                "tokens it passes every criterion",
    )  # fmt: skip
    return found.model_copy(update={
        "criteria": declared.criteria, "launch": Launch.GO_WITH_CHANGES, "changes": (change,),
        "because": (f"{change.because[0].upper()}{change.because[1:]}.", *found.because),
    })  # fmt: skip


def _decide(
    pilot: Pilot, results: Results, analysis: Analysis, calibration: Calibration, observed: Observed
) -> Decision:
    """Return the decision about the full run as ``pilot`` has it, with the adopted variants."""
    analysis = with_outlook(pilot, results, analysis)
    adoption, sizes = compatible(pilot, analysis.findings), dict(observed.vocabularies)
    base = counted(pilot.full_plan(), sizes)
    full = counted(pilot.full_plan(adoption.names), sizes) if adoption.adopted else base
    found = forecast(pilot, results, adoption.adopted, base, full)
    foretell = from_pilot(pilot, results, adoption.adopted, found, base, full)
    spent = sum(row.flops for row in results.finished())
    price = cost.full_run(pilot.goal.hardware, calibration, base, full, spent, foretell)
    likeness = _likeness(pilot, results, adoption, analysis, observed, full)
    checks = (
        target_check(pilot, found, settling_pilot(pilot, results, calibration, found)),
        *limit_checks(pilot, price),
        text_check(pilot, results, adoption.names, full.plan.tokens),
        data_check(pilot, observed, adoption.names),
        evaluation_check(pilot, results, observed, analysis.noise),
        changes_check(pilot, adoption, calibration),
        fidelity_check(likeness),
        stability_check(pilot, results, adoption.names, observed.stability, is_of_plan=_is_margin_of(observed, full)),
        *drill_checks(observed.drills),
    )
    word = launch(checks, changed=bool(adoption.adopted))
    states = [row.status for row in results.rows]
    return Decision(
        question=pilot.question,
        criteria=observed.criteria or pilot.criteria,
        deviations=observed.deviations,
        worth=pilot.rule.worth,
        launch=word,
        because=_because(word, checks, adoption, found.target),
        would_change=_would_change(checks, analysis, found.target, pilot.goal.confidence),
        target=found.target,
        checks=checks,
        findings=analysis.findings,
        adopted=adoption.names,
        fidelity=likeness,
        noise=analysis.noise,
        forecast=found.baseline,
        cost=price,
        trials={**observed.planned, **{state: states.count(state) for state in ("finished", "failed", "killed")}},
        advice=advice(pilot, results, found.baseline),
        not_tested=(
            *not_tested(pilot, results, adoption.names, found.target),
            *(() if observed.drills else (NO_DRILLS,)),
        ),
        versions=versions("torch", "numpy", "scipy", "tokenizers"),
    )


def _is_margin_of(observed: Observed, full: Counted) -> bool:
    """Return whether the margin that was measured is that of the full run as it would be trained."""
    tokens = observed.tokens.get(fingerprint(full.plan.corpus, full.plan.tokenizer))
    found = observed.stability
    return found is not None and tokens is not None and found.fingerprint == fingerprint(full.plan.identity(), tokens)


def _likeness(
    pilot: Pilot, results: Results, adoption: Adoption, analysis: Analysis, observed: Observed, full: Counted
) -> FidelityAudit:
    """Return how the trainings, as they really were, differ from the full run."""
    told = {
        name: "it was adopted; its effect, and the doubt about it, are in the prediction" for name in adoption.names
    }
    told |= {
        item.variant: "it makes no difference that matters"
        for item in analysis.findings if item.verdict is Verdict.EQUIVALENT
    }  # fmt: skip
    trained = [
        Training(
            variant=row.variant, scale=row.scale, parameters=row.parameters, tokens=row.tokens, epochs=row.epochs,
            plan=observed.plans.get(row.name) or plain(pilot.plan(row.variant, row.scale, row.seed, row.repeat)),
        )
        for row in results.finished() if row.variant == BASELINE or row.variant in told
    ]  # fmt: skip
    aim = Training(
        variant="", scale="full", plan=plain(full.plan), parameters=full.parameters, tokens=full.plan.tokens,
        epochs=full_epochs(pilot, results, adoption.names, full.plan.tokens),
    )  # fmt: skip
    found = audit(trained, aim, told)
    hardware = pilot.goal.hardware
    if hardware.accelerator == THIS_MACHINE or not found.compared:
        return found
    elsewhere = FidelityRow(
        setting="machine", pilot=dict.fromkeys((row.scale for row in results.ladder()), THIS_MACHINE), kind="harmless",
        full=f"{hardware.count} x {hardware.accelerator}",
        because="the plan decides the weights: machines differ by rounding; time and cost have criteria of their own",
    )  # fmt: skip
    return found.model_copy(update={"rows": (*found.rows, elsewhere)})


def _because(word: Launch, checks: Sequence[Check], adoption: Adoption, target: Target) -> tuple[str, ...]:
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
    if word is Launch.GO and not adoption.adopted:
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
