"""From a pilot file to a decision: does what is missing, nothing twice, and survives being killed at any moment."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pilotlight.errors import ConfigError, RecordError, ResourceError, RunError
from pilotlight.events import Note, Progress, Watcher, silent
from pilotlight.manifest import NAME, sha256, write_atomic
from pilotlight.pilot import adaptive, folds, measure, trials, tune
from pilotlight.pilot.analyse import analyse, top_rung, winners
from pilotlight.pilot.announce import announce
from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.clock import clocked
from pilotlight.pilot.decide import decide
from pilotlight.pilot.groups import ALONE, grouped, outcomes, unit_of
from pilotlight.pilot.observed import observe
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.prepare import Ready, prepare
from pilotlight.pilot.preregister import (
    CALIBRATION,
    RETRIED,
    as_first_fixed,
    deviations,
    fixed_calibration,
    preregister,
)
from pilotlight.pilot.task_goal import check_task
from pilotlight.pilot.trials import Trial
from pilotlight.record.clock import NAME as CLOCK
from pilotlight.record.commitment import commit
from pilotlight.record.decision import Decision
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import ASIDE, BASELINE, FOLD, TRIAL, TUNED, TUNING, Results, Row
from pilotlight.record.run import RunFacts
from pilotlight.spec import fingerprint, plain
from pilotlight.stats.metric import metric
from pilotlight.train.alike import shape_of
from pilotlight.train.machine import Machine
from pilotlight.work.lease import hold
from pilotlight.work.pool import Pool
from pilotlight.work.unit import Outcome, Unit, UnitRetried

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
    together: int = 1
    """Trials of one shape that a worker trains in one program."""
    kind: str = TRIAL
    """Kind of the ledger entries that the trials become."""
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """What the trials of a variant are given beside their plan."""


def run(
    pilot: Pilot, out: Path, *, workers: int | None = None, together: int | None = None, measure_again: bool = False,
    watch: Watcher = silent, source: Path | None = None, why: str = "",
) -> Decision:  # fmt: skip
    """Return the decision of ``pilot``, whose runs, ledger and decision stand in folder ``out``.

    Killed and started again it goes on where it was, and decides the same. ``workers`` trains that many trials at a
    time, one core each; by default one per core, or one at a time on an accelerator. Each of them trains up to ``together``
    trials of one shape in one program; by default as many as fit, at most 16, on an accelerator, and one on a CPU.
    ``measure_again`` does not use the calibration that an earlier pilot with the same shapes left on this machine.
    ``source`` is the file of the pilot, kept in ``out``; ``why`` declares a change of the criteria after the first trial.

    Raises:
        ConfigError: the pilot contradicts itself, or its target is met by the smallest rung already.
        DataError: the text cannot be read or is too small for the ladder.
        RecordError: ``out`` belongs to another pilot, or a finished run in it was edited.
        EvidenceError: the budget does not pay for one trial.
        ResourceError: disk or memory ran out.
        RunError: every trial failed.
    """
    pilot.check()
    pilot.check_shapes()
    check_task(pilot.goal)
    workers = workers or measure.default_workers()
    with open_campaign(pilot, out, workers, together or measure.default_together(), watch) as campaign:
        preregister(pilot, out, campaign.ledger, watch, source=source, why=why)
        ready, parts = prepare(pilot, out, watch), folds.prepare(pilot, out, watch)
        calibration = calibrate(campaign, ready, workers, again=measure_again)
        campaign = _tuned(campaign, ready, calibration)
        pilot = campaign.pilot
        plan = adaptive.schedule(pilot, calibration, campaign.ledger)
        announce(pilot, calibration, plan, watch)
        train_missing(campaign, ready, calibration, plan.inside)
        plan = _rounds(campaign, ready, calibration)
        fresh = confirmation(pilot, Results.open(out), calibration, plan.reserve)
        train_missing(campaign, ready, calibration, fresh)
        _cross_validate(campaign, parts, calibration)
        return conclude(pilot, out, calibration)


@contextmanager
def open_campaign(pilot: Pilot, out: Path, workers: int, together: int, watch: Watcher) -> Generator[Campaign]:
    """Hold the folder ``out`` and the worker processes as long as trials of ``pilot`` are trained there."""
    if out.exists() and not out.is_dir():
        raise ConfigError(f"--out {out} is a file; give a folder, or a name that does not exist yet.")
    ours = (out / "ledger.jsonl").exists()
    if not ours and out.is_dir() and any(item.name != ".lock" for item in out.iterdir()):
        raise RecordError(
            f"{out} holds other files, not a pilot. Give an empty folder or one of an earlier `pilot run`."
        )
    with hold(out) as lease, Pool(workers, 1, keep=lease.keep, logs=out / "logs") as pool:
        yield Campaign(pilot, out, Ledger(out / "ledger.jsonl"), pool, watch, together)


def calibrate(campaign: Campaign, ready: Ready, workers: int, *, again: bool) -> Calibration:
    """Return the calibration in the ledger; measured, or recalled from this machine's store, where there is none."""
    kept = fixed_calibration(campaign.ledger)
    if kept is not None:
        return kept
    calibration = measure.calibrate(campaign.pilot, ready, campaign.pool, workers, campaign.watch, again=again)
    campaign.ledger.append(CALIBRATION, **plain(calibration))
    return calibration


def _tuned(campaign: Campaign, ready: Ready, calibration: Calibration) -> Campaign:
    """Return the campaign with every variant at its tuned learning rate; trains what tells it, where the pilot asks for it."""
    pilot, ledger = campaign.pilot, campaign.ledger
    wanted = tune.round_of(pilot)
    if wanted is None:
        return campaign
    tokens = Ready({name: ready.tokens[of] for name, of in wanted.of.items()})
    train_missing(replace(campaign, pilot=wanted.pilot, kind=TUNING), tokens, calibration, wanted.trials)
    results = Results.open(campaign.out, kind=TUNING)
    lost = sorted(row.name for row in results.rows if row.status == "killed")
    if lost:
        raise RunError(
            f"{len(lost)} trainings of the tuning were lost, the first is {lost[0]}; run the same command again: it trains only "
            "those, and tunes then."
        )
    if tune.tuned(pilot, ledger) == pilot:
        found = tune.responses(pilot, wanted, results)
        for name in (name for name, one in found.items() if one is None):
            campaign.watch(
                Note(f"{name}: fewer than 3 multiples of its rate ended; the best of them is taken", "warning")
            )
        ledger.append(TUNED, multiples=tune.multiples(pilot, wanted, results, found), responses=plain(found))
    pilot = tune.tuned(pilot, ledger)
    campaign.watch(Note(tune.sentence(pilot)))
    return replace(campaign, pilot=pilot)


def _cross_validate(campaign: Campaign, parts: Ready, calibration: Calibration) -> None:
    """Train the baseline with each part of the text held out in turn, where the pilot asks for it."""
    wanted = folds.round_of(campaign.pilot)
    if wanted is None:
        return
    campaign.watch(
        Note(f"cross-validation: {len(wanted.trials)} trainings of the baseline, each with its own part held out")
    )
    try:
        train_missing(replace(campaign, pilot=wanted.pilot, kind=FOLD), parts, calibration, wanted.trials)
    except RunError as error:  # the comparison stands without
        campaign.watch(Note(f"cross-validation: {error}", "warning"))


def _rounds(campaign: Campaign, ready: Ready, calibration: Calibration) -> trials.Schedule:
    """Train round after round what the results ask for, each in the ledger before it is trained; return all main trials."""
    pilot, ledger = campaign.pilot, campaign.ledger
    while not adaptive.is_over(pilot, ledger):
        adaptive.enter_round(pilot, campaign.out, ledger, calibration)
        train_missing(campaign, ready, calibration, adaptive.schedule(pilot, calibration, ledger).inside)
    if adaptive.why_stopped(ledger):
        campaign.watch(Note(adaptive.why_stopped(ledger)))
    return adaptive.schedule(pilot, calibration, ledger)


def _unit(campaign: Campaign, ready: Ready, calibration: Calibration, trial: Trial) -> Unit:
    plan, goal = trial.plan(campaign.pilot), campaign.pilot.goal
    task = {} if goal.task is None else {"task": str(goal.task.resolve()), "metric": goal.metric}
    return Unit(
        key=trial.name,
        call=ALONE,
        arguments={
            "plan": plain(plan),
            "machine": plain(Machine(threads=1, together=campaign.together)),
            "tokens": str(ready.tokens[trial.variant].folder.resolve()),
            "out": str((campaign.out / "runs" / trial.name).resolve()),
            **task,
            **campaign.extra.get(trial.variant, {}),
        },
        cost=calibration.seconds(trial.scale),
    )


def _entered(campaign: Campaign) -> dict[str, Row]:
    return {row.name: row for row in Results.open(campaign.out, kind=campaign.kind).rows}


def train_missing(campaign: Campaign, ready: Ready, calibration: Calibration, wanted: Iterable[Trial]) -> None:
    """Train what is missing of ``wanted`` and enter every outcome into the ledger.

    A trial that failed for a reason of its own is a result and stays one; one that was killed is tried again.

    Raises:
        ResourceError: disk or memory ran out; what is finished stays, and a restart goes on.
        RunError: every trial failed.
    """
    wanted = list(wanted)
    entered = _entered(campaign)
    for row in entered.values():
        _refuse_easy_target(campaign, row)
    done = {name for name, row in entered.items() if row.status != "killed"}
    missing = {trial.name: trial for trial in wanted if trial.name not in done}
    total = calibration.everything(wanted)
    spent = total - calibration.everything(list(missing.values()))
    if not missing:
        return
    units = _units(campaign, ready, calibration, wanted, set(missing))
    relay = _Share(campaign, {unit.key: unit.cost / calibration.workers for unit in units}, spent, total)
    count = len(wanted) - len(missing)
    for outcome in campaign.pool.run(units, watch=relay):
        found = [(missing[name], one) for name, one in outcomes(outcome)]
        for trial, one in found:
            _enter(campaign, trial, one)
        count += len(found)
        relay.finish(outcome.unit.key, f"{count} of {len(wanted)} trials")
    rows = _entered(campaign)
    if not any(row.status == "finished" for row in rows.values()):
        first = next(iter(rows.values())).error
        raise RunError(f"every trial failed, so there is nothing to decide on. The first said: {first}")


def _units(
    campaign: Campaign, ready: Ready, calibration: Calibration, wanted: list[Trial], missing: set[str]
) -> list[Unit]:
    """Return the units of the missing trials: one each, or one for several of one shape."""

    def shape(trial: Trial) -> str:
        return shape_of(trial.plan(campaign.pilot), ready.tokens[trial.variant].vocabulary)

    def unit(trial: Trial) -> Unit | None:
        return _unit(campaign, ready, calibration, trial) if trial.name in missing else None

    groups = [[unit(trial) for trial in group] for group in grouped(wanted, campaign.together, shape)]
    return [unit_of(group) for group in groups if any(group)]


def _enter(campaign: Campaign, trial: Trial, outcome: Outcome) -> None:
    row = _row(campaign, trial, outcome)
    campaign.ledger.append(campaign.kind, **plain(row))
    if row.status != "finished":
        campaign.watch(Note(f"{trial.name} {row.status}: {row.error}", "warning"))
    if outcome.error_class in OF_THE_MACHINE:
        raise ResourceError(f"{trial.name}: {outcome.error}")
    _refuse_easy_target(campaign, row)


class _Share:
    """Watches the units of a round and tells one progress: seconds of work done, of all there is."""

    def __init__(self, campaign: Campaign, costs: dict[str, float], spent: float, total: float) -> None:
        self._ledger, self._watch = campaign.ledger, campaign.watch
        self._costs, self._spent, self._total = costs, spent, total
        self._parts: dict[str, float] = {}
        self._note = ""

    def __call__(self, event: Any) -> None:
        inner, key = getattr(event, "event", None), getattr(event, "key", "")
        if isinstance(event, UnitRetried):
            self._watch(Note(f"{key}: its worker was lost ({event.cause}); it is started again", "warning"))
            self._ledger.append(RETRIED, trial=key, attempt=event.attempt, cause=event.cause)
        elif isinstance(inner, Note):
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
    if "pruned" in outcome.result:
        found = outcome.result
        return Row(**told, status="pruned", error=found["pruned"], metrics=found["metrics"], course=found["course"])
    facts = RunFacts.from_json((folder / "run.json").read_text(encoding="utf-8"))
    return Row(
        **told, status="finished", manifest_sha256=sha256(folder / NAME), parameters=facts.parameters,
        total_parameters=facts.total_parameters, tokens=facts.tokens, flops=facts.flops, epochs=facts.epochs,
        metrics=facts.metrics | outcome.result.get("metrics", {}), fit=f"{facts.fit}: {facts.why}",
        incidents=len(facts.incidents),
    )  # fmt: skip


def _refuse_easy_target(campaign: Campaign, row: Row) -> None:
    pilot = campaign.pilot
    smallest = min(pilot.scales, key=lambda scale: scale.parameters * scale.tokens).name
    if campaign.kind != TRIAL or row.variant != BASELINE or row.scale != smallest or row.status != "finished":
        return
    value, measured = row.metrics[pilot.goal.metric], metric(pilot.goal.metric)
    if (value <= pilot.goal.target) if measured.better == "lower" else (value >= pilot.goal.target):
        unit, side = measured.unit, "below" if measured.better == "lower" else "above"
        raise ConfigError(
            f"goal.target {pilot.goal.target:g} {unit} is already met by the smallest pilot ({row.name}: {value:.4g}), so "
            f"there is nothing to decide. Set a target {side} {value:.4g} that makes the full run worth its price."
        )


def confirmation(pilot: Pilot, results: Results, calibration: Calibration, reserve: float) -> list[Trial]:
    """Return the trials that try the winners of the main trials again on fresh seeds, within ``reserve`` FLOPs."""
    rung = top_rung(results, pilot)
    if rung is None:
        return []
    return trials.confirmation(pilot, calibration, winners(results, pilot), rung, reserve)


def conclude(pilot: Pilot, out: Path, calibration: Calibration) -> Decision:
    """Return the decision from what stands in ``out``, written to ``decision.json`` and ``full.yaml``.

    What the clock says of the variants, which decides nothing, goes to ``clock.json``.

    Raises:
        RecordError: trials that the budget pays for are missing, or a run was edited.
    """
    from pilotlight.pilot.full import write_full_plan

    results = Results.open(out)
    ledger = Ledger(out / "ledger.jsonl")
    pilot = tune.tuned(pilot, ledger)
    aside = {kind: Results.open(out, kind=kind) for kind in ASIDE}  # voids the decision where one of these was edited
    parts = folds.round_of(pilot)
    plan = adaptive.schedule(pilot, calibration, ledger)
    wanted = [*plan.inside, *confirmation(pilot, results, calibration, plan.reserve)]
    entered = {row.name for row in [*results.rows, *aside[FOLD].rows]}
    missing = [trial.name for trial in [*wanted, *(parts.trials if parts else ())] if trial.name not in entered]
    if missing:
        raise RecordError(
            f"{out} is not finished: {len(missing)} of {len(wanted)} trials are missing, the first is {missing[0]}. "
            "Let `pilot run` go on; it trains only what is missing."
        )
    if not adaptive.is_over(pilot, ledger):
        raise RecordError(f"{out} is not finished: its next trials are not chosen yet. Let `pilot run` go on.")
    planned = {"planned": len(wanted) + len(plan.left_out), "left out": len(plan.left_out)}
    observed = observe(pilot, out, results, planned, deviations(ledger))
    decision = decide(pilot, results, analyse(results, pilot), calibration, observed)
    first = as_first_fixed(ledger)
    if first is not None:
        first = tune.tuned(first, ledger)
        word = decide(first, results, analyse(results, first), calibration, observed).launch
        told = f"by the criteria as first fixed the launch would be {word}"
        because = decision.because if word == decision.launch else (f"B{told[1:]}.", *decision.because)
        decision = decision.model_copy(update={"deviations": (*decision.deviations, told), "because": because})
    told = {
        "tuning": tune.sentence(pilot), "allocation": adaptive.why_stopped(ledger),
        "cross_validation": folds.cross_validation(parts, aside[FOLD], out) if parts else None,
        "advice": (*decision.advice, *(folds.lost(parts, aside[FOLD]) if parts else ())),
    }  # fmt: skip
    decision = decision.model_copy(update=told)
    write_full_plan(pilot, decision, out / "full.yaml")
    text = decision.to_json() + "\n"
    write_atomic(out / "decision.json", text)
    commit(ledger, decision, text)
    write_atomic(out / CLOCK, clocked(pilot, out, results, decision, observed.vocabularies).to_json() + "\n")
    return decision
