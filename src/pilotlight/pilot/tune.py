"""The learning rate of every variant, tuned before the comparison: so that none loses, or wins, for want of tuning.

Seeds of its own, and ledger entries of their own kind: nothing of it enters the comparison.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from pilotlight.errors import EvidenceError
from pilotlight.pilot.pilot import Pilot, Variant
from pilotlight.pilot.preregister import fixed_criteria
from pilotlight.pilot.space import DIGITS, value_at
from pilotlight.pilot.trials import Trial
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import ASIDE, BASELINE, TUNED, TUNING, Results
from pilotlight.stats.metric import metric
from pilotlight.stats.response import Response, Tried, respond

SEEDS = 2_000  # seeds from here on tune: neither the comparison's nor those of its confirmation


@final
@dataclass(frozen=True)
class Round:
    """The trainings that tune."""

    pilot: Pilot
    """The pilot with a variant for each thing that is tuned at each multiple."""
    trials: tuple[Trial, ...]
    of: Mapping[str, str]
    """What is tuned, by the name of such a variant."""
    at: Mapping[str, float]
    """Its multiple."""


def round_of(pilot: Pilot) -> Round | None:
    """Return the trainings that tune ``pilot``, seed by seed; None where nothing is to be tuned."""
    settings = pilot.tune
    if settings is None:
        return None
    variants: dict[str, Variant] = {}
    of: dict[str, str] = {}
    at: dict[str, float] = {}
    for name in pilot.to_tune:
        own = value_at(pilot.variant(name), settings.path, "tune.path")
        changes = {} if name == BASELINE else pilot.variants[name].set
        for multiple in settings.multiples:
            tried = f"{ASIDE[TUNING]}{name}.x{multiple:g}"
            variants[tried] = Variant(set=changes | {settings.path: float(f"{own * multiple:.{DIGITS}g}")})
            of[tried], at[tried] = name, multiple
    rung = pilot.lowest.name
    trials = tuple(Trial(name, rung, SEEDS + seed) for seed in range(settings.seeds) for name in variants)
    return Round(pilot.model_copy(update={"variants": variants, "tune": None}), trials, of, at)


def responses(pilot: Pilot, tuning: Round, results: Results) -> dict[str, Response | None]:
    """Return the answer to the learning rate of everything that was tuned; None where too few trainings ended."""
    name = pilot.goal.metric
    found: dict[str, Response | None] = {}
    for variant in pilot.to_tune:
        tried = [
            Tried(tuning.at[row.variant], row.seed, row.metrics[name] if row.status == "finished" else None)
            for row in results.rows if tuning.of.get(row.variant) == variant and row.status != "killed"
        ]  # fmt: skip
        try:
            found[variant] = respond(tried, better=metric(name).better, level=pilot.rule.level, unit="multiple")
        except EvidenceError:
            found[variant] = None
    return found


def multiples(pilot: Pilot, tuning: Round, results: Results, found: Mapping[str, Response | None]) -> dict[str, float]:
    """Return the multiple to take for each: on the safe side of the optimum.

    Where too few trainings ended to fit one it is the best of those that did, and 1 where none did.
    """
    name = pilot.goal.metric
    sign = 1.0 if metric(name).better == "lower" else -1.0
    taken: dict[str, float] = {}
    for variant, one in found.items():
        ended = [(sign * row.metrics[name], tuning.at[row.variant]) for row in results.finished()
                 if tuning.of.get(row.variant) == variant]  # fmt: skip
        taken[variant] = float(f"{one.recommended:.3g}") if one is not None else min(ended, default=(0.0, 1.0))[1]
    return taken


def tuned(pilot: Pilot, ledger: Ledger) -> Pilot:
    """Return ``pilot`` at the learning rates in the ledger, or as it is where it was not tuned yet."""
    criteria = fixed_criteria(ledger)
    entry = next(reversed(ledger.entries(TUNED)), None)
    if pilot.tune is None or entry is None or criteria is None or entry.index < criteria.index:
        return pilot
    return pilot.model_copy(update={"tuned": dict(entry.facts["multiples"])})


def sentence(pilot: Pilot) -> str:
    """Return what was tuned to what, in words; nothing where nothing was."""
    settings = pilot.tune
    if settings is None or not pilot.tuned:
        return ""
    values = {name: value_at(pilot.variant(name), settings.path, "tune.path") for name in pilot.tuned}
    edges = (min(settings.multiples) * 1.02, max(settings.multiples) * 0.98)
    at_edge = {name for name, multiple in pilot.tuned.items() if not edges[0] < multiple < edges[1]}
    shown = ", ".join(
        f"{name} {values[name]:g} (x{multiple:g}{', the edge of what was tried' if name in at_edge else ''})"
        for name, multiple in pilot.tuned.items()
    )
    seeds = f"{settings.seeds} seed{'s' if settings.seeds > 1 else ''}"
    return (
        f"{settings.path} was tuned for each before the comparison, at {pilot.lowest.name} by {len(settings.multiples)} "
        f"multiples on {seeds} of its own; each takes the safe side of its fitted optimum, or the best that ended where fewer "
        f"than three did: {shown}."
    )
