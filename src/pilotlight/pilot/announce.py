"""What is told before the first trial: what it takes, what it will be able to see, and what may mislead."""

from __future__ import annotations

from pilotlight.events import Note, Watcher
from pilotlight.pilot.advice import odd_shapes
from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.folds import round_of
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.trials import Schedule
from pilotlight.stats import power
from pilotlight.stats.pairing import Pairing
from pilotlight.units import show_seconds, show_share

ASSUMED_SPREAD = (
    0.01  # relative SD of one run about its set-up; the quickstart's runs of 60k and 150k parameters had 1.4 %
)


def announce(pilot: Pilot, calibration: Calibration, plan: Schedule, watch: Watcher) -> None:
    """Tell what the trials will take and be able to see, before the first of them."""
    seconds = calibration.everything([*plan.inside])
    watch(Note(f"{len(plan.inside)} trials, about {show_seconds(seconds)} on {calibration.workers} workers"))
    parts = round_of(pilot)
    if parts is not None:
        seconds = calibration.everything([*parts.trials])
        watch(Note(f"and {len(parts.trials)} for cross-validation, about {show_seconds(seconds)}"))
    if pilot.variants:
        assumed = Pairing(correlation=0.0, used="paired", n=0)
        sentence = power.plan(ASSUMED_SPREAD, pilot.rule, assumed, variants=len(pilot.variants)).sentence
        watch(Note(f"if single runs spread by {show_share(ASSUMED_SPREAD, 0)}, as small ones do: {sentence}"))
    for text in odd_shapes(pilot, pilot.compared):
        watch(Note(text, "warning"))
    if plan.left_out:
        count = len(plan.inside) + len(plan.left_out)
        watch(Note(f"the budget leaves out {len(plan.left_out)} of {count} trials", "warning"))
