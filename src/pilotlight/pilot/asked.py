"""A pilot's results as the question of the allocator: its variants, what they cost by the calibration, the full run.

No clock and no order of arrival enters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.pilot import Budget, Pilot
from pilotlight.pilot.trials import AA_STREAM, FRESH, Trial
from pilotlight.record.results import BASELINE, Results, Row
from pilotlight.scaling.allocate import Advice, Offer, Question
from pilotlight.scaling.contest_cells import PilotRun, Scale
from pilotlight.stats.metric import metric
from pilotlight.units import show_share

SAFE_SHARE = 0.1
"""Expected regret below which a decision is safe, as a share of the smallest effect that matters."""


@final
@dataclass(frozen=True)
class Asked:
    """A pilot's results as the allocator takes them: runs, what could be bought, the question."""

    bought: tuple[PilotRun, ...]
    menu: tuple[Offer, ...]
    question: Question
    failed: tuple[str, ...]
    """Variants of which a trial failed or scored 0: they are out of the question, as no verdict would adopt them."""


def asked(
    pilot: Pilot, results: Results, calibration: Calibration, budget: Budget, most: Mapping[str, int] | None = None
) -> Asked:
    """Return what is to be decided and bought; FLOPs are what trials cost of ``budget``.

    Every variant, the baseline too, is offered its next seed at every rung that trains variants: up to ``most`` seeds of
    a rung, or as many as wanted. Repeats of the baseline with another order of the data count as runs of it.
    """
    main = [row for row in results.rows if row.round == "main"]
    lost = {row.variant for row in main if row.status == "failed"}
    lost |= {row.variant for row in main if row.status == "finished" and row.metrics[pilot.goal.metric] <= 0}
    names = tuple(name for name in (BASELINE, *pilot.variants) if name == BASELINE or name not in lost)
    rungs = {scale.name: scale for scale in pilot.scales if not scale.baseline_only}
    rows = sorted((row for row in results.finished() if _counts(row, names, rungs)), key=lambda row: row.name)
    prices = {name: calibration.price(name, budget) for name in rungs}
    bought = tuple(
        PilotRun(
            row.variant, row.scale, row.metrics[pilot.goal.metric], prices[row.scale], rungs[row.scale].parameters,
            rungs[row.scale].tokens, str(row.seed),
        )
        for row in rows
    )  # fmt: skip
    known = {row.name for row in results.rows if row.status != "killed"}
    menu: list[Offer] = []
    for name in names:
        for rung, scale in rungs.items():
            end = FRESH if most is None else most[rung]
            seed = next((seed for seed in range(end) if Trial(name, rung, seed).name not in known), None)
            if seed is not None:
                menu.append(Offer(name, rung, prices[rung], scale.parameters, scale.tokens, str(seed)))
    measured = metric(pilot.goal.metric)
    question = Question(names, _target(pilot, calibration), measured.better, worth_of(pilot, bought))
    return Asked(bought, tuple(menu), question, tuple(name for name in pilot.variants if name in lost))


def _counts(row: Row, names: Sequence[str], rungs: Mapping[str, object]) -> bool:
    return row.variant in names and row.scale in rungs and row.repeat.rstrip("0123456789") in ("", AA_STREAM)


def _target(pilot: Pilot, calibration: Calibration) -> Scale:
    """Return the size of the full run; its FLOPs are those of the dearest rung, scaled by parameters and tokens."""
    aim = pilot.goal.full_run
    top = max(pilot.scales, key=lambda scale: scale.parameters * scale.tokens)
    times = aim.parameters * aim.tokens / (top.parameters * top.tokens)
    return Scale(calibration.rungs[top.name].flops * times, aim.parameters, aim.tokens)


def is_loss(pilot: Pilot, bought: Sequence[PilotRun]) -> bool:
    """Return whether regrets are shares: so of what is better lower and always above 0; else they are in its own units."""
    return metric(pilot.goal.metric).better == "lower" and all(run.value > 0 for run in bought)


def worth_of(pilot: Pilot, bought: Sequence[PilotRun], share: float = SAFE_SHARE) -> float:
    """Return ``share`` of the smallest effect that matters, in the unit of regrets."""
    if is_loss(pilot, bought) or not bought:
        return share * pilot.rule.worth
    values = sorted(abs(run.value) for run in bought if run.variant == BASELINE) or [abs(run.value) for run in bought]
    return share * pilot.rule.worth * (values[len(values) // 2] or 1.0)


def sentence(pilot: Pilot, known: Asked, advice: Advice) -> str:
    """Return what to do next and why, in words."""
    loss, unit = is_loss(pilot, known.bought), metric(pilot.goal.metric).unit

    def shown(value: float) -> str:
        return show_share(value, 3) if loss else f"{value:.2g} {unit}"

    if advice.regret is None:
        if not advice.offers:
            return "no two variants have been compared at one rung, and no affordable trial would compare them"
        names = ", ".join(offer.variant for offer in advice.offers)
        return f"no two variants have been compared at one rung yet: start with {names} at {advice.offers[0].cell}"
    stands = f"choosing {advice.pick} now is expected to cost {shown(advice.regret)} at the full size against the best choice"
    if advice.action == "safe":
        return f"the decision is safe: {stands}, less than {shown(known.question.worth)}, a tenth of what matters"
    if advice.action == "useless":
        return f"no affordable trial is expected to change the decision, though it is not safe: {stands}"
    seeds = ", ".join(f"{offer.variant} (seed {offer.seed})" for offer in advice.offers)
    return f"train {seeds} at {advice.offers[0].cell}: {stands}, and this should lower it by {shown(advice.gain)}"
