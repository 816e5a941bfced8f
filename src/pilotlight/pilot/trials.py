"""Which trainings answer the question, in which order, and which of them the budget allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pilotlight.errors import EvidenceError
from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.results import BASELINE
from pilotlight.train.plan import Plan
from pilotlight.units import show_seconds

AA_STREAM = "batches"  # the one stream an A/A run reseeds: the order of the data
SAMPLE_STREAM = "sample"  # the stream of a run on training documents drawn again with replacement
FRESH = 1_000  # seeds from here on are used for confirmation only
RESERVE = 0.15  # share of the budget kept at least for confirming winners, where winners are to be confirmed
MOST_RESERVE = 0.4  # and at most: a comparison comes before its confirmation


@dataclass(frozen=True)
class Trial:
    """One training of the pilot."""

    variant: str
    scale: str
    seed: int
    repeat: str = ""
    round: Literal["main", "confirmation"] = "main"

    @property
    def name(self) -> str:
        """Folder of the run below ``runs/``."""
        tail = f"-{self.repeat}" if self.repeat else ""
        return f"{self.variant}/{self.scale}/seed{self.seed}{tail}"

    def plan(self, pilot: Pilot) -> Plan:
        """Return the training plan of this trial."""
        return pilot.plan(self.variant, self.scale, self.seed, self.repeat)


def wanted(pilot: Pilot) -> list[Trial]:
    """Return every main trial, most informative for its price first.

    First the baseline at every rung (the ladder), then block after block of one seed: variants beside the baseline,
    cheap rungs before dear ones, so that whatever the budget cuts off, what is left is a whole comparison. The A/A
    repeats stand behind the first block of the rung they repeat.
    """
    rungs = sorted(pilot.scales, key=lambda scale: scale.order)
    found = [Trial(BASELINE, rung.name, 0) for rung in rungs]
    most, own = max(map(pilot.seeds_at, rungs)), pilot.seeds_at(rungs[0])
    for seed in range(most):
        for rung in (rung for rung in rungs if seed < pilot.seeds_at(rung)):
            if seed:
                found.append(Trial(BASELINE, rung.name, seed))
            if not rung.baseline_only:
                found += [Trial(variant, rung.name, seed) for variant in pilot.variants]
        if seed < min(pilot.repeats, own):
            found.append(Trial(BASELINE, rungs[0].name, seed, repeat=AA_STREAM))
    # More repeats than seeds: a seed is repeated again, each time with another order of the data.
    found += [
        Trial(BASELINE, rungs[0].name, number % own, repeat=f"{AA_STREAM}{number // own}")
        for number in range(own, pilot.repeats)
    ]
    # Last: how much the text itself matters is no part of any verdict.
    found += [
        Trial(BASELINE, rungs[0].name, number % own, repeat=f"{SAMPLE_STREAM}{number // own or ''}")
        for number in range(pilot.samples)
    ]
    return found


@dataclass(frozen=True)
class Schedule:
    """The main trials that the budget pays for, those it leaves out, and what is kept back for confirming winners."""

    inside: tuple[Trial, ...]
    left_out: tuple[Trial, ...]
    reserve: float
    """FLOPs of the budget that the main trials do not use."""
    left: float = 0.0
    """FLOPs of it that further main trials may use: what is kept back for confirmation is not among them."""


def _kept_back(pilot: Pilot, calibration: Calibration) -> float:
    """Return the share of the budget to keep for confirming one winner at the largest rung that has variants."""
    if not (pilot.variants and pilot.confirm):
        return 0.0
    rungs = [scale for scale in pilot.scales if not scale.baseline_only]
    top = max(rungs, key=lambda scale: scale.parameters * scale.tokens)
    needed = 2 * pilot.confirm * calibration.price(top.name, pilot.budget) / calibration.budget_flops(pilot.budget)
    return min(MOST_RESERVE, max(RESERVE, needed))


def _aside(pilot: Pilot) -> list[Trial]:
    """Return as many trials as tune the learning rates and hold out other text, at the rung where they do."""
    found = [Trial(BASELINE, pilot.lowest.name, seed) for seed in range(pilot.folds)]
    if pilot.tune is None:
        return found
    return found + [Trial(name, pilot.lowest.name, seed) for name in pilot.to_tune
                    for seed in range(pilot.tune.seeds * len(pilot.tune.multiples))]  # fmt: skip


def schedule(pilot: Pilot, calibration: Calibration, asked: Sequence[Trial] | None = None) -> Schedule:
    """Return which main trials the budget pays for, in order: of all that are wanted, or of those ``asked`` for.

    Raises:
        EvidenceError: the budget does not even pay for one trial at the smallest rung.
    """
    trials = wanted(pilot) if asked is None else list(asked)
    keep_back = _kept_back(pilot, calibration)
    whole = calibration.budget_flops(pilot.budget)
    inside: list[Trial] = []
    left_out: list[Trial] = []
    spent = sum(calibration.price(trial.scale, pilot.budget) for trial in _aside(pilot))
    for trial in trials:
        price = calibration.price(trial.scale, pilot.budget)
        fits = spent + price <= whole * (1 - keep_back)
        (inside if fits else left_out).append(trial)
        spent += price if fits else 0.0
    if not inside:
        cheapest = min(calibration.seconds(scale.name) for scale in pilot.scales)
        enough = calibration.everything([*trials, *_aside(pilot)]) / (1 - keep_back) * 1.02
        raise EvidenceError(
            f"the budget of {_shown(pilot)} does not pay for one trial: the smallest rung alone takes about "
            f"{show_seconds(cheapest)} here. Raise budget.time to about {show_seconds(max(1.0, enough))} for all "
            f"{len(trials)} trials, or make the rungs smaller."
        )
    return Schedule(tuple(inside), tuple(left_out), whole - spent, max(0.0, whole * (1 - keep_back) - spent))


def _shown(pilot: Pilot) -> str:
    if pilot.budget.flops is not None:
        return f"{pilot.budget.flops:.3g} FLOPs"
    return show_seconds(pilot.budget.time or 0)


def confirmation(pilot: Pilot, calibration: Calibration, winners: list[str], scale: str, reserve: float) -> list[Trial]:
    """Return the trials that compare the winners with the baseline again at one rung on fresh seeds.

    Whole seeds only, as many as ``reserve`` FLOPs pay for.
    """
    found: list[Trial] = []
    for seed in range(FRESH, FRESH + pilot.confirm) if winners else ():
        block = [Trial(name, scale, seed, round="confirmation") for name in (BASELINE, *sorted(winners))]
        reserve -= sum(calibration.price(trial.scale, pilot.budget) for trial in block)
        if reserve < 0:
            break
        found += block
    return found
