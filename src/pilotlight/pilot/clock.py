"""What variants gain in time and money: their price by the clock of the pilot's own trainings. Nothing of it decides anything."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pilotlight.manifest import sha256
from pilotlight.pilot.goal import Hardware
from pilotlight.pilot.money import Surcharge, in_money, surcharge
from pilotlight.pilot.outlook import falls_of, multipliers_of, steps_of
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.clock import Clock, Reading, Timed, reading
from pilotlight.record.decision import Decision, Finding
from pilotlight.record.expense import THIS_MACHINE
from pilotlight.record.results import BASELINE, Results, Row
from pilotlight.stats.multiplier import Fall, Price, measured, trend

METHOD = (
    "from seconds of steps (evaluations not counted) of variant and baseline at one rung and seed, each with whatever else "
    "trained beside it"
)
TOGETHER = "trained together in one program, whose members wait for one another"


def clocked(pilot: Pilot, out: Path, results: Results, decision: Decision, vocabularies: Mapping[str, int]) -> Clock:
    """Return what the clock says of every variant of the decision that stands in ``out``.

    The price is the geometric mean, over pairs of runs of one rung and seed in the same company, of the seconds of the
    variant's training over the baseline's. ``vocabularies`` holds the number of ids by the tokenizer's fingerprint.
    """
    falls = falls_of(pilot, results)
    told = {row.name: reading(out / "runs" / row.name) for row in results.finished()}
    readings = {name: one for name, one in told.items() if one is not None}
    variants = tuple(_timed(pilot, finding, results, falls, readings, vocabularies) for finding in decision.findings)
    return Clock(decision=sha256(out / "decision.json"), variants=variants)


def _timed(
    pilot: Pilot, finding: Finding, results: Results, falls: Mapping[str, Fall], readings: Mapping[str, Reading],
    vocabularies: Mapping[str, int],
) -> Timed:  # fmt: skip
    found, level = finding.comparison, pilot.rule.level
    prices = {scale: price for scale in found.by_scale
              if (price := price_of(results, readings, found.variant, scale, pilot.goal.hardware)) is not None}  # fmt: skip
    steps = {
        scale: replace(step, price=prices[scale])
        for scale, step in steps_of(found, falls, results).items() if scale in prices
    }  # fmt: skip
    more = surcharge(pilot, found.variant, vocabularies) if steps else Surcharge()
    money = {scale: replace(step, price=in_money(step.price, more)) for scale, step in steps.items()}
    time = multipliers_of(steps, level)
    return Timed(
        variant=found.variant, scale=found.scale,
        prices={scale: price.estimate(level) for scale, price in prices.items()},
        time=time, money=multipliers_of(money, level), time_trend=trend([steps[scale] for scale in time], level),
    )  # fmt: skip


def price_of(
    results: Results, readings: Mapping[str, Reading], variant: str, scale: str, hardware: Hardware
) -> Price | None:
    """Return what a run of the variant takes in seconds over one of the baseline; None where no two runs can be compared."""
    pairs = [
        (readings[new.name], readings[old.name], new.tokens / old.tokens)
        for new, old in _pairs(results, variant, scale)
        if new.name in readings and old.name in readings and old.tokens and new.tokens
    ]
    pairs = [pair for pair in pairs if pair[0].company == pair[1].company]
    if not pairs:
        return None
    logs = [math.log(tokens * new.seconds_per_token / old.seconds_per_token) for new, old, tokens in pairs]
    stacked = any(new.together > 1 for new, _, _ in pairs)
    price = measured(logs, "seconds", METHOD, single=TOGETHER if stacked else "")
    if hardware.accelerator == THIS_MACHINE:
        return price
    elsewhere = f"timed where the pilot was trained, not on {hardware.count} x {hardware.accelerator}"
    return replace(price, cautions=(*price.cautions, elsewhere))


def _pairs(results: Results, variant: str, scale: str) -> list[tuple[Row, Row]]:
    """Return the runs of variant and baseline that share a seed at a rung, A/A repeats not counted."""
    olds = {row.seed: row for row in results.finished(BASELINE) if row.scale == scale and not row.repeat}
    news = [row for row in results.finished(variant) if row.scale == scale and not row.repeat]
    return [(row, olds[row.seed]) for row in news if row.seed in olds]
