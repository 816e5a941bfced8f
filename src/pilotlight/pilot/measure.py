"""Measures how fast this machine trains the shapes of a pilot, with every worker busy as it will be."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from pilotlight.errors import ResourceError, RunError
from pilotlight.events import Note, Progress, Watcher, silent
from pilotlight.pilot import calibration as store
from pilotlight.pilot.calibration import Calibration, Rung
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.prepare import Ready
from pilotlight.record.results import BASELINE
from pilotlight.spec import plain
from pilotlight.stats.estimate import Estimate
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.machine import Machine, default_device
from pilotlight.train.plan import Plan
from pilotlight.units import show_share
from pilotlight.work.cores import core_count
from pilotlight.work.pool import Pool
from pilotlight.work.unit import Unit

SECONDS = 2.0  # of steps per shape: medians over them repeat within a few percent on an idle machine
BUSY = 0.2  # share of all cores used by others from which a measurement is worth a warning
START_SECONDS = 1.0  # building a model, the last checkpoint and the score files, measured on pilot-sized models


def run(arguments: dict[str, Any], watch: Watcher) -> dict[str, Any]:
    """Return seconds per step (all of them) and per held-out window of the plan in ``arguments``: a unit of work."""
    from pilotlight.train.throughput import throughput

    del watch
    found = throughput(
        Plan.model_validate(arguments["plan"]), Machine.model_validate(arguments["machine"]),
        Tokens.open(Path(arguments["tokens"])), float(arguments["seconds"]),
    )  # fmt: skip
    return {"steps": found.steps, "window": found.window}


def default_workers() -> int:
    """Return how many trials to train at a time here: one per core, or one alone where there is an accelerator."""
    return core_count() if default_device() == "cpu" else 1


def default_together() -> int:
    """Return how many trials of one shape a worker trains in one program: several on an accelerator, if they fit."""
    from pilotlight.train.hardware import most_together

    return most_together(Machine(), default_device())


def shapes_of(pilot: Pilot) -> dict[str, Plan]:
    """Return the plans whose speed decides what a pilot can afford: the baseline at every rung, and the full run."""
    return {scale.name: pilot.plan(BASELINE, scale, 0) for scale in pilot.scales} | {"full": pilot.full_plan()}


def _middle(values: list[float], share: float = 0.5) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _unit(key: str, plan: Plan, tokens: Tokens, threads: int, seconds: float = SECONDS) -> Unit:
    machine = Machine(threads=threads)
    arguments = {
        "plan": plain(plan),
        "machine": plain(machine),
        "tokens": str(tokens.folder.resolve()),
        "seconds": seconds,
    }
    return Unit(key=key, call="pilotlight.pilot.measure:run", arguments=arguments)


def _measured(pool: Pool, units: list[Unit], done: int, total: int, watch: Watcher) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for outcome in pool.run(units, watch=silent):
        if outcome.status != "finished":
            kind = ResourceError if outcome.error_class == "ResourceError" else RunError
            raise kind(f"the speed of this machine could not be measured: {outcome.error}")
        found.append(outcome.result)
        watch(Progress("measuring this machine", done + len(found), total, "shapes"))
    return found


def _warn_if_busy(watch: Watcher) -> None:
    """Tell if other programs compute on this machine: what is measured now is slower than the machine is."""
    import psutil

    share = psutil.cpu_percent(interval=1.0) / 100
    if share > BUSY:
        watch(Note(
            f"other programs use {show_share(share, 0)} of this machine, so it will look slower than it is: fewer trials "
            "fit into the budget and the full run seems longer. Stop them, and run with --measure-again in a new --out.",
            "warning",
        ))  # fmt: skip


def calibrate(
    pilot: Pilot, ready: Ready, pool: Pool, workers: int, watch: Watcher, *, again: bool = False
) -> Calibration:
    """Return the calibration of this machine for this pilot: recalled where one is kept, else measured and kept.

    ``again`` measures also where one is kept.

    Raises:
        RunError: a step cannot be taken at all.
    """
    plans = shapes_of(pilot)
    name = store.key(plans, workers)
    if not again and (kept := store.recall(name)) is not None:
        watch(Note(
            f"this machine was measured for these shapes on {kept.measured_at}; that measurement is used "
            "(--measure-again in a new --out takes a new one)"
        ))  # fmt: skip
        return kept
    _warn_if_busy(watch)
    full = plans.pop("full")
    tokens = ready.tokens[BASELINE]
    rungs: dict[str, Rung] = {}
    total = workers * len(plans) + 1
    for number, (scale, plan) in enumerate(plans.items()):
        units = [_unit(f"{scale}-{worker}", plan, tokens, 1) for worker in range(workers)]
        rungs[scale] = _rung(plan, tokens, _measured(pool, units, number * workers, total, watch))
    cores = core_count()
    with Pool(1, cores) as whole:
        unit = _unit("full", full, tokens, cores, 2 * SECONDS)
        steps = _measured(whole, [unit], total - 1, total, watch)[0]["steps"]
    calibration = Calibration(
        machine=store.machine_facts(), measured_at=date.today().isoformat(), workers=workers, rungs=rungs,
        full_step_seconds=Estimate(
            value=_middle(steps), low=_middle(steps, 0.1), high=_middle(steps, 0.9), level=0.8, unit="s/step", n=len(steps),
            method=f"median, P10 and P90 of {len(steps)} measured steps of the full shape on {cores} cores",
        ),
    )  # fmt: skip
    store.keep(name, calibration)
    return calibration


def _rung(plan: Plan, tokens: Tokens, found: list[dict[str, Any]]) -> Rung:
    from pilotlight.model.size import measure
    from pilotlight.tokens.held_out import windows

    step = max(_middle(item["steps"]) for item in found)
    window = max(float(item["window"]) for item in found)
    evaluations = -(-plan.steps // plan.evaluate_every)
    few = len(windows(tokens, plan.train.context, plan.train.evaluate_bytes).ids)
    # the end scores the held-out text, and a quarter as much training text beside it
    many = 1.25 * len(windows(tokens, plan.train.context, plan.train.score_bytes).ids)
    flops = measure(plan.model, plan.ids(tokens.vocabulary), plan.train.context).training_flops_per_token * plan.tokens
    return Rung(flops=flops, seconds=START_SECONDS + plan.steps * step + window * (evaluations * few + many))
