"""The criteria of the launch, tested one by one: target, time, cost, text, stability."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from pilotlight.pilot.forecast import Forecast
from pilotlight.pilot.observed import Stability
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.prepare import FREE_EPOCHS, MOST_EPOCHS
from pilotlight.record.decision import Check, Cost, Evidence
from pilotlight.record.results import BASELINE, Results
from pilotlight.spec import fingerprint
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.metric import metric
from pilotlight.units import show_chance, show_seconds, show_share

_REHEARSE = (
    "a rehearsal: an hour of the full run as it would run, evaluations and checkpoints included, narrows the range."
)
_MEASURE = "measure this run on the target hardware: `pilot doctor --bench PLAN --receipt FILE` there."


def _short(estimate: Estimate) -> str:
    """Return value, interval and unit; how it was obtained stands with the target itself."""
    return (
        f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}] {estimate.unit} ({100 * estimate.level:g} %)"
    )


def target_check(pilot: Pilot, found: Forecast, evidence: Evidence | None) -> Check:
    """Return whether the full run is likely enough to reach the declared target; ``evidence`` is what would settle it."""
    goal = pilot.goal
    side = "at most" if metric(goal.metric).better == "lower" else "at least"
    threshold = f"{side} {goal.target:g} {found.target.unit} with {show_share(goal.confidence, 0)} probability"
    chance = found.target.probability
    if chance is None or found.target.prediction is None:
        way_out = "train the baseline at three or more sizes (raise the budget, or add scales)."
        if goal.is_of_task:
            way_out = (
                "decide the launch in another pilot, on bits_per_byte, with what this one adopted in its baseline."
            )
        return Check(
            name="target", threshold=threshold, found="no prediction", status="unknown", because=found.why, way_out=way_out,
            evidence=Evidence(what=way_out),
        )  # fmt: skip
    status = "pass" if chance >= goal.confidence else "fail" if chance <= 1 - goal.confidence else "unknown"
    reason = {
        "pass": "the prediction clears the target",
        "fail": "the prediction misses the target",
        "unknown": "the prediction's interval straddles the target",
    }[status]
    way_out = "" if status == "pass" else "a larger full run, better data, or a rung closer to the full size."
    if status == "unknown":
        way_out = evidence.what if evidence else f"{way_out[:-1]}; no affordable pilot would settle it."
    return Check(
        name="target", threshold=threshold, found=f"{_short(found.target.prediction)}; probability {show_chance(chance)}",
        status=status, because=reason, way_out=way_out, evidence=evidence if status == "unknown" else None,
    )  # fmt: skip


def limit_checks(pilot: Pilot, price: Cost) -> tuple[Check, Check]:
    """Return whether time and money of the full run stay within their limits."""
    limits = pilot.goal.limits
    return (
        _limit_check("time", limits.time, price.seconds, price),
        _limit_check("cost", limits.cost, price.money, price),
    )


def _dollars(value: float) -> str:
    return f"{value:,.2f} USD"


def _limit_check(name: str, limit: float | None, estimate: Estimate | None, price: Cost) -> Check:
    show = show_seconds if name == "time" else _dollars
    found = "unknown" if estimate is None else _range(estimate, show)
    if limit is None:
        status, because = "pass", "nothing was declared that could be exceeded"
    elif estimate is None:
        return Check(
            name=name, threshold=f"P90 at most {show(limit)}", found=found, status="unknown",
            because="no price is known for this hardware", way_out="give goal.hardware.price_per_hour.",
            evidence=Evidence(what="the price: goal.hardware.price_per_hour."),
        )  # fmt: skip
    else:
        status = "pass" if estimate.high <= limit else "fail" if estimate.low > limit else "unknown"
        because = {"pass": "even the slow case stays inside", "fail": "even the quick case exceeds it",
                   "unknown": "it depends on how the run goes"}[status]  # fmt: skip
    if price.basis == "assumed" and status == "pass":
        status, because = "unknown", price.because
    way_out = _MEASURE if price.basis == "assumed" else "a smaller full run, other hardware, or a higher limit."
    return Check(
        name=name, threshold="no limit declared" if limit is None else f"P90 at most {show(limit)}", found=found,
        status=status, because=because, way_out="" if status == "pass" else way_out,
        evidence=Evidence(what=_MEASURE if price.basis == "assumed" else _REHEARSE) if status == "unknown" else None,
    )  # fmt: skip


def _range(estimate: Estimate, show: Callable[[float], str]) -> str:
    return f"{show(estimate.value)} (P10 {show(estimate.low)}, P90 {show(estimate.high)})"


def text_check(pilot: Pilot, results: Results, adopted: tuple[str, ...], tokens: float) -> Check:
    """Return whether the full run of ``tokens`` tokens reads its text too often."""
    epochs = full_epochs(pilot, results, adopted, tokens)
    threshold = f"at most {FREE_EPOCHS} epochs"
    if epochs is None:
        return Check(
            name="text", threshold=threshold, found="no finished run", status="unknown",
            because="no run on this text finished, so nobody knows how often it was read",
            way_out="look at why the baseline's trials were lost, and run the pilot again.",
            evidence=Evidence(what="the baseline's trials again, once what stopped them is mended."),
        )  # fmt: skip
    status = "pass" if epochs <= FREE_EPOCHS else "unknown" if epochs <= MOST_EPOCHS else "fail"
    because = {
        "pass": "repeating text this often costs almost nothing (Muennighoff et al. 2023)",
        "unknown": "repeated text is worth less than fresh text, and the law does not know it",
        "fail": "text repeated this often is worth almost nothing (Muennighoff et al. 2023)",
    }[status]
    return Check(
        name="text", threshold=threshold, found=f"{epochs:.1f} epochs in the full run", status=status, because=because,
        way_out="" if status == "pass" else "more text, or fewer tokens in goal.full_run.",
        evidence=Evidence(what=f"a pilot on so small a part of the text that it reads it {epochs:.1f} times too "
                               "(corpus.steps: sample).") if status == "unknown" else None,
    )  # fmt: skip


def full_epochs(pilot: Pilot, results: Results, adopted: tuple[str, ...], tokens: float) -> float | None:
    """Return how often the full run reads its text, from how often the longest runs on that text read it.

    Where no trained variant read just that text, the shortest text of those that were adopted counts.
    """

    def text(*names: str) -> str:
        setup = pilot.variant(*names)
        return fingerprint(setup.corpus, setup.tokenizer)

    alike = [name for name in (BASELINE, *pilot.variants) if text(name) == text(*adopted)]
    found: list[float] = []
    for name in alike or [BASELINE, *adopted]:
        longest = max(results.finished(name), key=lambda row: (row.tokens, row.name), default=None)
        if longest is not None:
            found.append(tokens * longest.epochs / longest.tokens)
    return max(found, default=None)


def stability_check(
    pilot: Pilot, results: Results, adopted: Iterable[str], margin: Stability | None, *, is_of_plan: bool = False
) -> Check:
    """Return whether every trial of what the full run consists of ran through, with the declared margin to divergence.

    ``margin`` is what `pilot margin` found, and ``is_of_plan`` whether it is for the plan of the full run as it would be
    trained; the record of another plan counts for nothing.
    """
    arms = (BASELINE, *adopted)
    wanted = pilot.goal.margin
    status, because, way_out, seen = _ran_through(results, arms)
    evidence = Evidence(what=way_out) if status == "unknown" else None
    if status == "pass" and margin is not None and is_of_plan:
        seen += f"; {margin.sentence}"
        if margin.multiple < (wanted or 1.0):
            status = "fail"
            because = (
                f"a short training survives {margin.multiple:.3g} times the learning rate, not {wanted or 1.0:g} times"
            )
            way_out = "lower train.optim.lr, in a new --out."
    elif status == "pass" and wanted is not None:
        status, way_out = "unknown", "run `pilot margin full.yaml` in the pilot's folder, then `pilot decide`."
        because = "the margin was not measured" if margin is None else "the margin was measured for another plan"
        evidence = Evidence(what=f"the margin, by a few short trainings: {way_out}")
    margins = "" if wanted is None else f"; survives {wanted:g} times the learning rate"
    return Check(
        name="stability", threshold=f"no trial of {', '.join(arms)} fails or skips steps{margins}", found=seen,
        status=status, because=because, way_out=way_out, evidence=evidence,
    )  # fmt: skip


def _ran_through(results: Results, arms: tuple[str, ...]) -> tuple[Literal["pass", "fail", "unknown"], str, str, str]:
    """Return whether the trials of ``arms`` ran through: the status, why, the way out, and what was found."""
    trials = [row for row in results.rows if row.variant in arms]
    failed = [row for row in trials if row.status == "failed"]
    killed = [row for row in trials if row.status == "killed"]
    shaky = [row for row in trials if row.status == "finished" and row.incidents]
    seen = f"{len(failed)} failed, {len(killed)} killed, {len(shaky)} with incidents, of {len(trials)} trials"
    if failed:
        because = f"{failed[0].name} failed: {failed[0].error}"
        return "fail", because, "lower train.optim.lr, or look at the error in the run's folder.", seen
    if killed:
        because = f"{killed[0].name} was killed from outside, which says nothing about its stability: {killed[0].error}"
        return "unknown", because, "run `pilot run` again: a trial that was killed is tried again.", seen
    if shaky:
        because = f"{shaky[0].name} finished, but had {shaky[0].incidents} incidents on the way"
        return (
            "unknown",
            because,
            "look at the incidents in the run's folder; a lower train.optim.lr avoids most.",
            seen,
        )
    return "pass", "every one of them ran through without an incident", "", f"none of {len(trials)} trials"
