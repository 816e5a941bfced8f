"""How often a pilot adopts what changes nothing, and finds what is better: trials planned, and allocated as results come in.

Nothing is trained: losses follow a law, an effect and noise. What is trained, what wins and what is confirmed on fresh seeds
is decided by the code of `pilot run`; both ways of allocation see the same losses.

python bench/adaptive.py            print the table of docs/allocation.md
python bench/adaptive.py --write    put it there, between its markers
"""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from pilotlight.pilot import adaptive, trials
from pilotlight.pilot.analyse import analyse
from pilotlight.pilot.calibration import Calibration, Rung
from pilotlight.pilot.execute import confirmation
from pilotlight.pilot.pilot import Budget, Pilot
from pilotlight.pilot.trials import Schedule, Trial
from pilotlight.randomness import stream
from pilotlight.record.results import Results, Row
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.share import wilson
from pilotlight.stats.verdict import Verdict

PAGE = Path(__file__).parents[1] / "docs" / "allocation.md"
VARIANTS = ("first", "second", "third")
GAIN = -0.01
"""Relative effect of the one variant that is better, where one is."""
SETTINGS = ((0.003, math.inf), (0.01, math.inf), (0.01, 0.5))
"""Run-to-run spread of the loss, and the budget as a share of what all planned trials cost."""
SHARED = 0.8
"""Share of the variance that the runs of one seed and rung have in common."""
LADDER: tuple[dict[str, Any], ...] = (
    {"parameters": "1M", "tokens": "20M"}, {"parameters": "3M", "tokens": "60M"}, {"parameters": "9M", "tokens": "180M"},
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """How the trainings of one simulated pilot turn out."""

    number: int
    effects: Mapping[str, float]
    spread: float

    def row(self, pilot: Pilot, trial: Trial) -> Row:
        """Return the row of a training that was finished."""
        scale = pilot.scale(trial.scale)
        noise = [
            math.sqrt(share) * stream(self.number, part, trial.scale, trial.seed, trial.repeat).standard_normal()
            for share, part in ((SHARED, "seed"), (1 - SHARED, trial.variant))
        ]  # fmt: skip
        law = 0.8 + 5.0 / scale.parameters**0.2 + 8.0 / scale.tokens**0.2
        value = law * math.exp(self.spread * math.fsum(noise)) * (1 + self.effects.get(trial.variant, 0.0))
        return Row(
            name=trial.name, variant=trial.variant, scale=trial.scale, seed=trial.seed, repeat=trial.repeat,
            round=trial.round, status="finished", fingerprint="0" * 16, parameters=scale.parameters, tokens=scale.tokens,
            flops=6 * scale.parameters * scale.tokens, metrics={"bits_per_byte": value},
        )  # fmt: skip

    def results(self, pilot: Pilot, wanted: Iterable[Trial]) -> Results:
        """Return the results of ``wanted``, in order of their names as those of a ledger are."""
        return Results(rows=tuple(sorted((self.row(pilot, one) for one in wanted), key=lambda row: row.name)))


@dataclass(frozen=True)
class Outcome:
    """What one pilot adopted, and the trainings it took."""

    adopted: frozenset[str]
    trials: int


def pilot_of(allocation: str, budget: float) -> Pilot:
    """Return a pilot with three variants and three rungs, on text that is never read."""
    pilot = Pilot.model_validate({
        "question": "Which of these goes in?", "goal": {"target": 1.0, "full_run": {"parameters": "90M", "tokens": "2B"}},
        "tokenizer": "bytes", "model": {"mixer": {"kind": "grouped", "head_dim": 16}}, "scales": list(LADDER),
        "variants": {name: {"set": {"train.optim.lr": f"x{2 + place}"}} for place, name in enumerate(VARIANTS)},
        "allocation": allocation,
    })  # fmt: skip
    whole = sum(6 * pilot.scale(one.scale).parameters * pilot.scale(one.scale).tokens for one in trials.wanted(pilot))
    paid = Budget(time=None, flops=whole * min(budget, 100.0))
    return pilot.model_copy(update={"budget": paid})


def calibration_of(pilot: Pilot) -> Calibration:
    """Return a made-up calibration: a teraflop per second on one worker."""
    rungs = {one.name: 6 * one.parameters * one.tokens for one in pilot.scales}
    return Calibration(
        machine={"name": "made up"}, measured_at="2026-01-01", workers=1,
        rungs={name: Rung(flops=flops, seconds=flops / 1e12) for name, flops in rungs.items()},
        full_step_seconds=Estimate(value=1.0, low=0.9, high=1.1, level=0.8, unit="s/step", n=1, method="made up"),
    )  # fmt: skip


def main_trials(pilot: Pilot, calibration: Calibration, world: World) -> Schedule:
    """Return the main trials of a pilot: all that are planned, or the opening and round after round."""
    if pilot.allocation == "planned":
        return trials.schedule(pilot, calibration)
    asked = adaptive.opening(pilot)
    while True:
        so_far = trials.schedule(pilot, calibration, asked)
        choice = adaptive.choose(pilot, world.results(pilot, so_far.inside), calibration, so_far)
        if not choice.trials:
            return so_far
        asked = [*asked, *choice.trials]


def study(pilot: Pilot, calibration: Calibration, world: World) -> Outcome:
    """Return how one pilot ended, its winners confirmed on fresh seeds."""
    plan = main_trials(pilot, calibration, world)
    fresh = confirmation(pilot, world.results(pilot, plan.inside), calibration, plan.reserve)
    findings = analyse(world.results(pilot, [*plan.inside, *fresh]), pilot).findings
    adopted = frozenset(item.variant for item in findings if item.verdict is Verdict.ADOPT)
    return Outcome(adopted, len(plan.inside) + len(fresh))


def share(found: int, count: int) -> str:
    """Return a counted share with Wilson's interval, in percent."""
    low, high = wilson(found, count)
    return f"{100 * found / count:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def row(better: str, spread: float, budget: float, allocation: str, studies: int) -> str:
    """Return one line: how many pilots adopted something that changes nothing, and what is better, and at which price."""
    pilot = pilot_of(allocation, budget)
    calibration, effects = calibration_of(pilot), {better: GAIN} if better else {}
    ended = [study(pilot, calibration, World(number, effects, spread)) for number in range(studies)]
    false = sum(bool(one.adopted - {better}) for one in ended)
    true = share(sum(better in one.adopted for one in ended), studies) if better else "–"
    planned, taken = len(trials.wanted(pilot)), sorted(one.trials for one in ended)
    spent = f"{median(taken):g} ({taken[studies // 10]:g} to {taken[-1 - studies // 10]:g})"
    truth = f"one is {-100 * GAIN:g} % better" if better else "none changes anything"
    paid = "half of them" if budget < 1 else "all"
    return f"| {truth} | {100 * spread:g} % | {paid} | {allocation} | {share(false, studies)} | {true} | {spent} of {planned} |"


def main() -> None:
    """Print the table, and put it into the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--studies", type=int, default=100, help="pilots a row")
    parser.add_argument("--workers", type=int, default=2, help="rows at a time")
    given = parser.parse_args()
    lines = [
        f"| {given.studies} pilots a row; of {len(VARIANTS)} variants | run-to-run spread | the budget pays for | allocation "
        "| adopted what changes nothing, % | adopted what is better, % | trials, of those planned |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    rows = [
        (better, spread, budget, allocation, given.studies)
        for better in ("", VARIANTS[0]) for spread, budget in SETTINGS for allocation in ("planned", "adaptive")
    ]  # fmt: skip
    with ProcessPoolExecutor(given.workers) as pool:
        lines += pool.map(row, *zip(*rows, strict=True))
    print("\n".join(lines))
    if given.write:
        block = "\n".join(("<!-- adaptive -->", "", *lines, "", "<!-- end -->"))
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(
            re.sub(r"<!-- adaptive -->.*?<!-- end -->", lambda _: block, page, flags=re.DOTALL), encoding="utf-8"
        )


if __name__ == "__main__":
    main()
