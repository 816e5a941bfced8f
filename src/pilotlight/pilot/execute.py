"""From a pilot file to a decision: does what is missing, nothing twice, and survives being killed at any moment."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pilotlight.errors import ConfigError, RecordError, ResourceError, RunError
from pilotlight.events import Note, Progress, Watcher, silent
from pilotlight.manifest import NAME, sha256, versions, write_atomic
from pilotlight.pilot import measure, trials
from pilotlight.pilot.analyse import analyse, top_rung, winners
from pilotlight.pilot.calibration import Calibration, from_ledger
from pilotlight.pilot.decide import decide
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.prepare import Ready, prepare, vocabularies
from pilotlight.pilot.trials import Trial
from pilotlight.record.decision import Decision
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import BASELINE, TRIAL, Results, Row
from pilotlight.record.run import RunFacts
from pilotlight.spec import diff, fingerprint, plain
from pilotlight.stats.metric import metric
from pilotlight.train.machine import Machine
from pilotlight.work.lease import hold
from pilotlight.work.pool import Pool
from pilotlight.work.unit import Outcome, Unit

CRITERIA, CALIBRATION, STARTED = "criteria", "calibration", "started"
# Errors that say nothing about the trial: it is tried again once the machine has room.
OF_THE_MACHINE = ("ResourceError", "OSError", "PermissionError", "MemoryError", "OutOfMemoryError")


@dataclass(frozen=True)
class Campaign:
    """One pilot on its way in one output folder."""

    pilot: Pilot
    out: Path
    ledger: Ledger
    pool: Pool
    watch: Watcher


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(pilot: Pilot, out: Path, *, workers: int | None = None, watch: Watcher = silent) -> Decision:
    """Return the decision of ``pilot``, whose runs, ledger and decision stand in folder ``out``.

    Killed and started again it goes on where it was, and decides the same. ``workers`` trains that many trials at a
    time, one core each; by default one per core.

    Raises:
        ConfigError: the pilot contradicts itself, or its target is met by the smallest rung already.
        DataError: the text cannot be read or is too small for the ladder.
        RecordError: ``out`` belongs to another pilot, or a finished run in it was edited.
        EvidenceError: the budget does not pay for one trial.
        ResourceError: disk or memory ran out.
        RunError: every trial failed.
    """
    pilot.check()
    with _campaign(pilot, out, workers or cores(), watch) as campaign:
        preregister(campaign)
        ready = prepare(pilot, out, watch)
        calibration = calibrate(campaign, ready, workers or cores())
        inside, left_out = trials.affordable(pilot, calibration)
        if left_out:
            watch(Note(f"the budget leaves out {len(left_out)} of {len(inside) + len(left_out)} trials", "warning"))
        _train(campaign, ready, calibration, inside)
        _train(campaign, ready, calibration, _confirmation(pilot, Results.open(out), calibration, inside))
        return conclude(pilot, out, calibration, planned_of(pilot, Results.open(out), calibration))


@contextmanager
def _campaign(pilot: Pilot, out: Path, workers: int, watch: Watcher) -> Generator[Campaign]:
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; give a folder, or a name that does not exist yet.")
    ours = (out / "ledger.jsonl").exists() or (out / ".lock").exists()
    foreign = out.is_dir() and any(out.iterdir()) and not ours
    if foreign:
        raise RecordError(
            f"{out} holds other files, not a pilot. Give an empty folder or one of an earlier `pilot run`."
        )
    with hold(out) as lease, Pool(workers, 1, keep=lease.keep, logs=out / "logs") as pool:
        yield Campaign(pilot, out, Ledger(out / "ledger.jsonl"), pool, watch)


def preregister(campaign: Campaign) -> None:
    """Write the criteria into the ledger before the first trial, or check that they are the ones written there.

    Raises:
        RecordError: the folder was started with another pilot; shows what differs.
    """
    pilot, ledger = campaign.pilot, campaign.ledger
    ledger.verify()
    settings = plain(pilot)
    entry = next(iter(ledger.entries(CRITERIA)), None)
    if entry is None:
        write_atomic(campaign.out / "pilot.json", pilot.model_dump_json(indent=1))
        ledger.append(CRITERIA, criteria=pilot.criteria, pilot=settings)
    elif entry.facts["criteria"] != pilot.criteria:
        changes = diff(entry.facts["pilot"], settings)
        shown = "".join(f"\n  {path}: {old} -> {new}" for path, (old, new) in list(changes.items())[:8])
        raise RecordError(
            f"{campaign.out} was started with another plan, whose criteria were fixed before its first trial:{shown}\n"
            "Give this plan another --out."
        )
    elif not (campaign.out / "pilot.json").is_file():
        write_atomic(campaign.out / "pilot.json", pilot.model_dump_json(indent=1))
    made_by = versions("torch", "numpy", "scipy", "tokenizers")
    last = [item.facts["versions"] for item in ledger.entries(STARTED)][-1:]
    if last and last[0] != made_by:
        changed = ", ".join(f"{name} {old} -> {new}" for name, (old, new) in diff(last[0], made_by).items())
        campaign.watch(Note(f"versions changed since this pilot began ({changed}); the ledger records it", "warning"))
    if not last or last[0] != made_by:
        ledger.append(STARTED, versions=made_by)


def calibrate(campaign: Campaign, ready: Ready, workers: int) -> Calibration:
    """Return the calibration in the ledger; measured, or recalled from this machine's store, where there is none."""
    entry = next(iter(campaign.ledger.entries(CALIBRATION)), None)
    if entry is not None:
        return from_ledger(entry.facts)
    calibration = measure.calibrate(campaign.pilot, ready, campaign.pool, workers, campaign.watch)
    campaign.ledger.append(CALIBRATION, **plain(calibration))
    return calibration


def _unit(campaign: Campaign, ready: Ready, calibration: Calibration, trial: Trial) -> Unit:
    plan = trial.plan(campaign.pilot)
    return Unit(
        key=trial.name,
        call="pilotlight.pilot.trial:run",
        arguments={
            "plan": plain(plan),
            "machine": plain(Machine(device="cpu", threads=1, compile=False)),
            "tokens": str(ready.tokens[trial.variant].folder.resolve()),
            "out": str((campaign.out / "runs" / trial.name).resolve()),
        },
        cost=calibration.seconds(trial.scale),
    )


def _entered(campaign: Campaign) -> dict[str, Row]:
    return {row.name: row for row in Results.open(campaign.out).rows}


def _train(campaign: Campaign, ready: Ready, calibration: Calibration, wanted: Iterable[Trial]) -> None:
    """Train what is missing of ``wanted`` and enter every outcome into the ledger.

    A trial that failed for a reason of its own is a result and stays one; one that was killed is tried again.

    Raises:
        ResourceError: disk or memory ran out; what is finished stays, and a restart goes on.
        RunError: every trial failed.
    """
    wanted = list(wanted)
    entered = _entered(campaign)
    for row in entered.values():
        _refuse_easy_target(campaign.pilot, row)
    done = {name for name, row in entered.items() if row.status != "killed"}
    missing = {trial.name: trial for trial in wanted if trial.name not in done}
    total = calibration.everything(wanted)
    spent = total - calibration.everything(list(missing.values()))
    if not missing:
        return
    units = [_unit(campaign, ready, calibration, trial) for trial in missing.values()]
    relay = _Share(campaign.watch, {unit.key: unit.cost / calibration.workers for unit in units}, spent, total)
    count = len(wanted) - len(missing)
    for outcome in campaign.pool.run(units, watch=relay):
        trial = missing[outcome.unit.key]
        row = _row(campaign, trial, outcome)
        campaign.ledger.append(TRIAL, **plain(row))
        count += 1
        relay.finish(trial.name, f"{count} of {len(wanted)} trials")
        if row.status != "finished":
            campaign.watch(Note(f"{trial.name} {row.status}: {row.error}", "warning"))
        if outcome.error_class in OF_THE_MACHINE:
            raise ResourceError(f"{trial.name}: {outcome.error}")
        _refuse_easy_target(campaign.pilot, row)
    rows = _entered(campaign)
    if not any(row.status == "finished" for row in rows.values()):
        first = next(iter(rows.values())).error
        raise RunError(f"every trial failed, so there is nothing to decide on. The first said: {first}")


class _Share:
    """Watches the units of a round and tells one progress: seconds of work done, of all there is."""

    def __init__(self, watch: Watcher, costs: dict[str, float], spent: float, total: float) -> None:
        self._watch, self._costs, self._spent, self._total = watch, costs, spent, total
        self._parts: dict[str, float] = {}
        self._note = ""

    def __call__(self, event: Any) -> None:
        inner, key = getattr(event, "event", None), getattr(event, "key", "")
        if isinstance(inner, Note):
            self._watch(Note(f"{key}: {inner.text}", inner.level))
        elif isinstance(inner, Progress) and inner.total and key in self._costs:
            self._parts[key] = self._costs[key] * min(1.0, inner.done / inner.total)
            self.tell()

    def finish(self, key: str, note: str) -> None:
        self._parts[key] = self._costs[key]
        self._note = note
        self.tell()

    def tell(self) -> None:
        done = min(self._total, self._spent + sum(self._parts.values()))
        self._watch(Progress("trials", done, self._total, "s of training", self._note))


def _row(campaign: Campaign, trial: Trial, outcome: Outcome) -> Row:
    folder = campaign.out / "runs" / trial.name
    told: dict[str, Any] = {
        "name": trial.name, "variant": trial.variant, "scale": trial.scale, "seed": trial.seed,
        "repeat": trial.repeat, "round": trial.round, "fingerprint": fingerprint(trial.plan(campaign.pilot)),
    }  # fmt: skip
    if outcome.status != "finished":
        status = "killed" if outcome.error_class in OF_THE_MACHINE else outcome.status
        return Row(**told, status=status, error=outcome.error)
    facts = RunFacts.from_json((folder / "run.json").read_text(encoding="utf-8"))
    return Row(
        **told, status="finished", manifest_sha256=sha256(folder / NAME), parameters=facts.parameters,
        total_parameters=facts.total_parameters, tokens=facts.tokens, flops=facts.flops, epochs=facts.epochs,
        metrics=facts.metrics, fit=f"{facts.fit}: {facts.why}", incidents=len(facts.incidents),
    )  # fmt: skip


def _refuse_easy_target(pilot: Pilot, row: Row) -> None:
    smallest = min(pilot.scales, key=lambda scale: scale.parameters * scale.tokens).name
    if row.variant != BASELINE or row.scale != smallest or row.status != "finished":
        return
    value = row.metrics[pilot.goal.metric]
    if value <= pilot.goal.target:
        unit = metric(pilot.goal.metric).unit
        raise ConfigError(
            f"goal.target {pilot.goal.target:g} {unit} is already met by the smallest pilot ({row.name}: {value:.4g}), so "
            f"there is nothing to decide. Set a target below {value:.4g} that makes the full run worth its price."
        )


def _confirmation(pilot: Pilot, results: Results, calibration: Calibration, inside: list[Trial]) -> list[Trial]:
    """Return the confirmation trials that the rest of the budget pays for, whole seeds only."""
    rung = top_rung(results, pilot)
    fresh = trials.confirmation(pilot, winners(results, pilot), rung) if rung else []
    left = calibration.budget_flops(pilot.budget) - sum(calibration.price(trial.scale) for trial in inside)
    found: list[Trial] = []
    for seed in dict.fromkeys(trial.seed for trial in fresh):
        block = [trial for trial in fresh if trial.seed == seed]
        price = sum(calibration.price(trial.scale) for trial in block)
        if price <= left:
            found += block
            left -= price
    return found


def planned_of(pilot: Pilot, results: Results, calibration: Calibration) -> dict[str, int]:
    """Return how many trials were wanted and how many the budget left out."""
    inside, left_out = trials.affordable(pilot, calibration)
    fresh = sum(row.round == "confirmation" for row in results.rows)
    return {"planned": len(inside) + len(left_out) + fresh, "left out": len(left_out)}


def conclude(pilot: Pilot, out: Path, calibration: Calibration, planned: dict[str, int]) -> Decision:
    """Return the decision from what stands in ``out``, written to ``decision.json`` and ``full.yaml``."""
    from pilotlight.pilot.full import write_full_plan

    results = Results.open(out)
    decision = decide(pilot, results, analyse(results, pilot), calibration, planned, vocabularies(pilot, out))
    write_full_plan(pilot, decision, out / "full.yaml")
    write_atomic(out / "decision.json", decision.to_json() + "\n")
    return decision
