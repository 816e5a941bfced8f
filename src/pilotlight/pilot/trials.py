"""Which trainings answer the question, in which order, and which of them the budget allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pilotlight.errors import EvidenceError
from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.pilot import Pilot, Scale
from pilotlight.record.results import BASELINE
from pilotlight.train.plan import Plan
from pilotlight.units import show_seconds

AA_STREAM = "batches"  # the one stream an A/A run reseeds: the order of the data
FRESH = 1_000  # seeds from here on are used for confirmation only
RESERVE = 0.15  # share of the budget kept for confirming winners, where winners are to be confirmed


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


def _seeds(pilot: Pilot, scale: Scale) -> int:
    return scale.seeds if scale.seeds is not None else pilot.seeds


def wanted(pilot: Pilot) -> list[Trial]:
    """Return every main trial, most informative for its price first.

    First the baseline at every rung (the ladder), then block after block of one seed: variants beside the baseline,
    cheap rungs before dear ones, so that whatever the budget cuts off, what is left is a whole comparison. The A/A
    repeats stand behind the first block of the rung they repeat.
    """
    rungs = sorted(pilot.scales, key=lambda scale: (scale.parameters * scale.tokens, scale.name))
    found = [Trial(BASELINE, rung.name, 0) for rung in rungs]
    most, own = max(_seeds(pilot, rung) for rung in rungs), _seeds(pilot, rungs[0])
    for seed in range(most):
        for rung in (rung for rung in rungs if seed < _seeds(pilot, rung)):
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
    return found


def affordable(pilot: Pilot, calibration: Calibration) -> tuple[list[Trial], list[Trial]]:
    """Return the main trials within the budget, in order, and those left out.

    Raises:
        EvidenceError: the budget does not even pay for one trial at the smallest rung.
    """
    trials = wanted(pilot)
    keep_back = RESERVE if pilot.variants and pilot.confirm else 0.0
    limit = calibration.budget_flops(pilot.budget) * (1 - keep_back)
    inside: list[Trial] = []
    left_out: list[Trial] = []
    spent = 0.0
    for trial in trials:
        price = calibration.price(trial.scale)
        if spent + price <= limit:
            inside.append(trial)
            spent += price
        else:
            left_out.append(trial)
    if not inside:
        cheapest = min(calibration.seconds(scale.name) for scale in pilot.scales)
        raise EvidenceError(
            f"the budget of {_shown(pilot)} does not pay for one trial: the smallest rung alone takes about "
            f"{show_seconds(cheapest)} here. Raise budget.time to at least "
            f"{show_seconds(calibration.everything(trials) * 1.1)} for all {len(trials)} trials, or make the rungs smaller."
        )
    return inside, left_out


def _shown(pilot: Pilot) -> str:
    if pilot.budget.flops is not None:
        return f"{pilot.budget.flops:.3g} FLOPs"
    return show_seconds(pilot.budget.time or 0)


def confirmation(pilot: Pilot, winners: list[str], scale: str) -> list[Trial]:
    """Return the trials that repeat the comparison of the winners at one rung on fresh seeds."""
    seeds = range(FRESH, FRESH + pilot.confirm)
    return (
        [
            Trial(variant, scale, seed, round="confirmation")
            for seed in seeds
            for variant in (BASELINE, *sorted(winners))
        ]
        if winners
        else []
    )
