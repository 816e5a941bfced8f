"""What an allocator is worth: pilots of published decision tasks bought one at a time, and the regret of the pick.

    python bench/allocation.py FOLDER                     all strategies, 100 replays, into bench/RESULTS.md
    python bench/allocation.py FOLDER --replays 5 --dry   quick, printed only
    python bench/allocation.py FOLDER --only vocab        some sources

A unit is a variant in a cell. It costs the FLOPs of all its rows there (its sweep) and shows its best row, with run-to-run
noise added that differs between replays. Tasks whose pilots lie in one cell are left out: there is nothing to allocate.
After every purchase a strategy names its pick, whose regret at the target is known from the table. Areas under that curve
are taken over FLOPs, from nothing to what the whole table costs, and over their logarithm, from the cheapest unit on;
before anything is bought the regret is that of a blind pick. A strategy that stops keeps its pick to the end. The bounds
know, as soon as every variant was seen in the cheapest cell, what all cells show, or the truth.
"""

from __future__ import annotations

import argparse
import math
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from allocation_strategies import STRATEGIES, Shop, Strategy
from pilotlight.randomness import stream
from pilotlight.scaling.allocate import Offer, Question
from pilotlight.scaling.backtests.decision import best_values, pilot_runs, target_scale
from pilotlight.scaling.contest_cells import PilotRun
from pilotlight.scaling.tasks import Task, read_tasks
from results_page import facts, write_section

TITLE = "Allocation of pilots"
NOISE = {"0.1 %": 0.001, "0.3 %": 0.003}
"""Run-to-run standard deviation that is added, as a share of the value: most published repeats, and noisy ones."""
COLUMNS = ("area over FLOPs", "area over log FLOPs", "area over FLOPs after the first cell", "last regret", "spent")


@dataclass(frozen=True)
class Stage:
    """A task made ready: what can be bought, what it shows without noise, and the regret of every pick."""

    task: Task
    question: Question
    menu: tuple[Offer, ...]
    shown: Mapping[tuple[str, str], float]
    regret: Mapping[str, float]

    def shop(self, replay: int, noise: float) -> Shop:
        """Return the table as it looks in one replay."""
        values: dict[tuple[str, str], float] = {}
        for (variant, cell), value in self.shown.items():
            draw = stream(replay, "allocation", self.task.name, variant, cell).standard_normal()
            values[variant, cell] = value + noise * abs(value) * float(draw)
        return Shop(
            self.question, self.menu, values, replay, min(self.regret, key=lambda name: (self.regret[name], name))
        )


def stages(folder: Path, only: list[str]) -> Iterator[Stage]:
    """Yield the decision tasks that have something to allocate."""
    for task in read_tasks(folder):
        if task.kind != "decision" or (only and task.source not in only):
            continue
        truth, target = best_values(task, task.targets), target_scale(task)
        runs = [run for run in pilot_runs(task) if run.variant in truth]
        units: dict[tuple[str, str], list[PilotRun]] = {}
        for run in runs:
            units.setdefault((run.variant, run.cell), []).append(run)
        if target is None or len({cell for _, cell in units}) < 2 or len({name for name, _ in units}) < 2:
            continue
        choose: Callable[..., float] = max if task.better == "higher" else min
        best = choose(truth.values())
        variants = tuple(sorted({name for name, _ in units}))
        yield Stage(
            task,
            Question(variants, target, task.better),
            tuple(_offer(unit, members) for unit, members in sorted(units.items())),
            {unit: choose(run.value for run in members) for unit, members in units.items()},
            {name: abs(truth[name] - best) / max(abs(best), 1e-12) for name in variants},
        )


def _offer(unit: tuple[str, str], members: list[PilotRun]) -> Offer:
    def same(numbers: list[float | None]) -> float | None:
        known = [number for number in numbers if number]
        return known[0] if len(known) == len(numbers) and max(known) <= 2 * min(known) else None

    return Offer(
        *unit, sum(run.flops for run in members),
        same([run.parameters for run in members]), same([run.tokens for run in members]),
    )  # fmt: skip


def areas(stage: Stage, strategy: Strategy, replay: int, noise: float) -> tuple[float, ...]:
    """Return the numbers of one replay, in the order of ``COLUMNS``."""
    shop = stage.shop(replay, noise)
    total = sum(offer.flops for offer in stage.menu)
    cheapest = min(offer.flops for offer in stage.menu)
    round_one = sum(offer.flops for offer in stage.menu if offer.cell == shop.cells[0])
    regret = float(np.mean(list(stage.regret.values())))
    spent, linear, logged, later = 0.0, 0.0, 0.0, 0.0
    for flops, pick in (*strategy(shop), (math.inf, None)):
        after = min(spent + flops, total)
        linear += regret * (after - spent)
        later += regret * (max(after, round_one) - max(spent, round_one))
        logged += regret * (math.log(max(after, cheapest)) - math.log(max(spent, cheapest)))
        if pick is None:
            break
        spent, regret = after, stage.regret[pick]
    return linear / total, logged / math.log(total / cheapest), later / (total - round_one), regret, spent / total


def replayed(found: list[Stage], replays: int, noise: float) -> dict[str, dict[str, np.ndarray]]:
    """Return, by strategy and task, the means over replays of what ``areas`` returns."""
    results: dict[str, dict[str, np.ndarray]] = {name: {} for name in STRATEGIES}
    for stage in found:
        for name, strategy in STRATEGIES.items():
            rows = [areas(stage, strategy, replay, noise) for replay in range(replays)]
            results[name][stage.task.name] = np.mean(rows, axis=0)
    return results


def table(found: list[Stage], results: dict[str, dict[str, np.ndarray]], noise: str) -> list[str]:
    """Return the table of one noise level: means over tasks, and over sources that weigh equally."""
    sources: dict[str, list[str]] = {}
    for stage in found:
        sources.setdefault(stage.task.source, []).append(stage.task.name)
    lines = [
        f"Noise {noise}; {len(found)} tasks of {len(sources)} sources; everything in %, of the best value at the target.",
        "",
        "| strategy | " + " | ".join(f"{column}: sources equal (tasks equal)" for column in COLUMNS) + " |",
        "| --- " * (1 + len(COLUMNS)) + "|",
    ]
    for name, by_task in results.items():
        tasks = np.mean(list(by_task.values()), axis=0)
        equal = np.mean([np.mean([by_task[task] for task in members], axis=0) for members in sources.values()], axis=0)
        numbers = [f"{100 * one:.3g} ({100 * other:.3g})" for one, other in zip(equal, tasks, strict=True)]
        lines.append(f"| {name} | " + " | ".join(numbers) + " |")
    return [*lines, "", *_ratios(sources, results), ""]


def _ratios(sources: dict[str, list[str]], results: dict[str, dict[str, np.ndarray]]) -> list[str]:
    """Return how our area over FLOPs compares with those of others, and what it would be without any one source."""
    by_source = {
        name: {source: np.mean([by_task[task][0] for task in members]) for source, members in sources.items()}
        for name, by_task in results.items()
    }
    lines: list[str] = []
    for name in (name for name in results if name != "ours"):
        ours, other = by_source["ours"], by_source[name]
        without = [
            sum(ours[source] for source in sources if source != left) / sum(other[source] for source in sources if source != left)
            for left in sources if len(sources) > 1
        ]  # fmt: skip
        spread = f" ({min(without):.2f} to {max(without):.2f} with one source left out)" if without else ""
        lines.append(f"Area over FLOPs, ours over {name}: {sum(ours.values()) / sum(other.values()):.2f}{spread}.  ")
    return lines


def main() -> None:
    """Replay, print, and write the section."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--replays", type=int, default=100)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--noise", nargs="*", default=list(NOISE), choices=list(NOISE))
    parser.add_argument("--dry", action="store_true", help="print only")
    arguments = parser.parse_args()
    started, loads = time.monotonic(), [os.getloadavg()[0]]
    found = list(stages(arguments.folder, arguments.only))
    text: list[str] = []
    for noise in arguments.noise:
        results = replayed(found, arguments.replays, NOISE[noise])
        text += table(found, results, noise)
        for name, by_task in results.items():
            print(name, {task: [round(100 * float(x), 3) for x in row] for task, row in by_task.items()})
        loads.append(os.getloadavg()[0])
    print("\n".join(text))
    print(f"{time.monotonic() - started:.0f} s")
    if not arguments.dry:
        head = [facts(("pilotlight", "numpy", "optuna"), loads), "", *(__doc__ or "").splitlines()[6:], ""]
        write_section(TITLE, [*head, f"`python bench/allocation.py FOLDER`, {arguments.replays} replays.", "", *text])


if __name__ == "__main__":
    main()
