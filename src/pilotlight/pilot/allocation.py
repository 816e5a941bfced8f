"""Which trial to train next: what a pilot's results so far say about its variants at the full size, and what more would."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Literal, final

from pilotlight.errors import ConfigError, RecordError
from pilotlight.pilot import folds, tune
from pilotlight.pilot.again import open_pilot
from pilotlight.pilot.asked import Asked, asked, is_loss, sentence, worth_of
from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.pilot import Budget, Pilot
from pilotlight.pilot.preregister import fixed_calibration
from pilotlight.pilot.trials import Trial
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import BASELINE, TUNING, Results, Row
from pilotlight.scaling.allocate import Offer, next_trial, ranked
from pilotlight.scaling.contest import Contest, contest
from pilotlight.spec import Record
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.metric import metric
from pilotlight.units import read_count, read_seconds, show_seconds


@final
class OfferedTrial(Record):
    """One trial that could be trained."""

    name: str
    variant: str
    scale: str
    seed: int
    flops: float
    seconds: float
    """Wall-clock on one worker, by the calibration."""


@final
class OfferedSet(Record):
    """Trials of one rung, weighed together: a single run in a new cell says nothing, for gaps are seen between runs."""

    trials: tuple[OfferedTrial, ...]
    gain: float
    """By how much they are expected to lower the regret of the pick."""
    flops: float
    seconds: float
    """Of all of them, on all workers."""


@final
class Standing(Record):
    """What is known of one variant at the full size."""

    variant: str
    best: float
    """Probability of being the best of all there."""
    change: Estimate | None
    """Against the baseline there; None for the baseline itself."""


@final
class NextTrials(Record):
    """What to train next, or that it is time to stop, and why."""

    action: Literal["buy", "safe", "useless", "nothing to compare"]
    because: str
    trials: tuple[OfferedTrial, ...]
    """To train next, in this order."""
    pick: str | None
    regret: float | None
    """How much worse the pick is expected to be at the full size than the best one; None before a comparison."""
    gain: float
    worth: float
    """Expected regret below which the decision is safe."""
    unit: str
    """Of regret, gain and worth; ``relative``: shares of the loss."""
    standings: tuple[Standing, ...]
    offers: tuple[OfferedSet, ...]
    """Every set that was weighed, most gain for its price first."""
    budget_flops: float
    """What the offers were weighed for. A time is in FLOPs at the rate of the dearest rung, as in `pilot run`."""
    notes: tuple[str, ...] = ()


def read_budget(text: str) -> Budget:
    """Return a budget from text such as ``10 min`` or ``2e15 FLOPs``.

    Raises:
        ConfigError: the text is neither, or nothing.
    """
    stripped = text.strip()
    try:
        if stripped.lower().endswith("flops"):
            budget = Budget(time=None, flops=read_count(stripped[: -len("flops")]))
        else:
            budget = Budget(time=read_seconds(stripped))
    except ValueError as error:
        raise ConfigError(f"--budget {text!r}: expected a time such as 10 min, or FLOPs such as 2e15 FLOPs") from error
    return budget


def next_trials(out: Path, budget: Budget | None = None) -> NextTrials:
    """Return what to train next in the pilot in ``out``, with ``budget`` to spend or what is left of its own.

    Raises:
        RecordError: the folder holds no pilot, its speed was not measured yet, or a run was edited.
    """
    ledger = Ledger(out / "ledger.jsonl")
    pilot = tune.tuned(open_pilot(out), ledger)
    calibration = fixed_calibration(ledger)
    if calibration is None:
        raise RecordError(f"{out} has no calibration yet, so nothing has a price. Let `pilot run` begin.")
    results = Results.open(out)
    if not pilot.variants:
        return _nothing(pilot, "the pilot has no variants, so there is no choice among them that a trial could change")
    notes: list[str] = []
    paid = budget or pilot.budget
    question = asked(pilot, results, calibration, paid)
    limit = calibration.budget_flops(paid)
    if budget is None:
        parts = folds.round_of(pilot)
        taken = [*results.rows, *Results.open(out, kind=TUNING).rows, *(parts.trials if parts else ())]
        limit, note = _left(limit, taken, question, calibration, paid)
        notes.append(note)
    notes += [f"{name} is out of the question: a trial of it failed or scored 0" for name in question.failed]
    if len(question.question.variants) < 2:
        return _nothing(pilot, "no variant is left: a trial of each failed or scored 0", tuple(notes))
    return _answer(pilot, question, calibration, limit, tuple(notes))


def _left(
    whole: float, taken: Sequence[Row | Trial], question: Asked, calibration: Calibration, paid: Budget
) -> tuple[float, str]:
    """Return what is left of the pilot's own budget, or all of it again where that pays for no trial; and which it is."""
    spent = sum(calibration.price(one.scale, paid) for one in taken)
    left = max(0.0, whole - spent)
    seconds = show_seconds(left / calibration.rate / calibration.workers)
    if left < min((offer.flops for offer in question.menu), default=0.0):
        return whole, f"the budget is spent ({seconds} left pay for no trial); weighed as if there were as much again"
    return left, f"about {seconds} of the budget are left"


def _nothing(pilot: Pilot, because: str, notes: tuple[str, ...] = ()) -> NextTrials:
    return NextTrials(
        action="nothing to compare", because=because, trials=(), pick=None, regret=None, gain=0.0, worth=worth_of(pilot, ()),
        unit="relative", standings=(), offers=(), budget_flops=0.0, notes=notes,
    )  # fmt: skip


def _answer(pilot: Pilot, known: Asked, calibration: Calibration, limit: float, notes: tuple[str, ...]) -> NextTrials:
    advice = next_trial(known.bought, known.menu, limit, known.question)

    def trial(offer: Offer) -> OfferedTrial:
        rung, seed = calibration.rungs[offer.cell], int(offer.seed)
        return OfferedTrial(
            name=Trial(offer.variant, offer.cell, seed).name, variant=offer.variant, scale=offer.cell, seed=seed,
            flops=rung.flops, seconds=rung.seconds,
        )  # fmt: skip

    sets: list[OfferedSet] = []
    for one in ranked(known.bought, known.menu, limit, known.question):
        trials = tuple(trial(offer) for offer in one.offers)
        seconds = sum(item.seconds for item in trials) / calibration.workers
        flops = sum(item.flops for item in trials)
        sets.append(OfferedSet(trials=trials, gain=max(0.0, one.gain), flops=flops, seconds=seconds))
    compared = advice.regret is not None
    question = known.question
    standings = standings_of(
        contest(known.bought, question.target, question.better, question.variants), len(known.bought), pilot.rule.level
    ) if compared else ()  # fmt: skip
    return NextTrials(
        action=advice.action, because=sentence(pilot, known, advice), trials=tuple(trial(offer) for offer in advice.offers),
        pick=advice.pick, regret=advice.regret, gain=advice.gain, worth=question.worth,
        unit="relative" if is_loss(pilot, known.bought) else metric(pilot.goal.metric).unit,
        standings=standings, offers=tuple(sets), budget_flops=limit, notes=notes,
    )  # fmt: skip


def standings_of(found: Contest, runs: int, level: float) -> tuple[Standing, ...]:
    """Return every variant at the full size, the likeliest best first; changes with their interval of ``level``."""
    reach = NormalDist().inv_cdf((1 + level) / 2)
    base = found.variants.index(BASELINE)
    standings: list[Standing] = []
    for row, name in enumerate(found.variants):
        change = None
        if name != BASELINE:
            middle, half = float(found.gaps[row] - found.gaps[base]), reach * float(found.errors[row, base])
            ends = [math.expm1(v) if found.grid.logged else found.grid.sign * v for v in (middle - half, middle + half)]
            change = Estimate(
                value=math.expm1(middle) if found.grid.logged else found.grid.sign * middle, low=min(ends), high=max(ends),
                level=level, unit="relative change" if found.grid.logged else "difference", n=runs,
                method="joint prediction of all variants at the full size from every rung that compares them",
            )  # fmt: skip
        standings.append(Standing(variant=name, best=found.best[name], change=change))
    return tuple(sorted(standings, key=lambda one: (-one.best, one.variant)))
