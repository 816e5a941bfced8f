"""``train``: from a plan, a machine and tokens to a finished run folder, through any number of kills."""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from pilotlight.errors import RecordError, RunError
from pilotlight.events import Note, Progress, Watcher, silent
from pilotlight.manifest import finished, write_atomic
from pilotlight.record.incident import Incident
from pilotlight.record.run import METRICS, Run, Session
from pilotlight.spec import diff, fingerprint, plain
from pilotlight.tokens.held_out import Windows, windows
from pilotlight.tokens.tokens import Tokens
from pilotlight.train import checkpoint
from pilotlight.train.compute import losses
from pilotlight.train.diagnose import diagnose
from pilotlight.train.events import Evaluated, Started
from pilotlight.train.expected import Expected
from pilotlight.train.final import DTYPES
from pilotlight.train.finish import (
    evaluated,
    finite,
    run_checks,
    seal_run,
    tell_diagnosis,
    write_results,
    write_timing,
)  # fmt: skip
from pilotlight.train.guard import Detector
from pilotlight.train.hardware import threads
from pilotlight.train.judged import evaluation_weights
from pilotlight.train.log import MetricsLog
from pilotlight.train.machine import Machine
from pilotlight.train.plan import Plan
from pilotlight.train.rewind import is_anchor, save
from pilotlight.train.start import new_pruner
from pilotlight.train.state import Check, Job, State
from pilotlight.train.step import take_step
from pilotlight.train.stop import stop_signals
from pilotlight.train.trunk import copy_history
from pilotlight.work.lease import hold

_PROGRESS_SECONDS = 0.2


def train(
    plan: Plan, machine: Machine, tokens: Tokens, out: Path, *, watch: Watcher = silent,
    checkpoint_seconds: float = 30.0, checks: Sequence[Check] = (), expected: Expected | None = None,
) -> Run:  # fmt: skip
    """Return the finished run in folder ``out``: trained now, gone on with, or already there.

    The same plan and tokens on the same machine give the same weights, metrics and scores bit for bit on a CPU,
    however often the process is killed and started again.

    Args:
        plan: what decides the weights; ``precision: auto`` is resolved for the machine's device.
        machine: where and how; every ``auto`` is resolved for this computer.
        tokens: the packed text.
        out: folder of the run; made if missing.
        watch: told every event of ``train.events``, ``Progress`` and ``Note``.
        checkpoint_seconds: seconds of training that a kill may cost.
        checks: benchmarks in the loop, called at every evaluation with the model and the number of updates.
        expected: the loss curve as somebody predicted it; where the run falls behind, it says so with likely causes.
            Without one it is measured against its own curve. Weights do not depend on it, lines of diagnoses do.

    Raises:
        RecordError: ``out`` was made by another plan or from other tokens, was damaged, or is being written right now.
        ResourceError: the disk is full; run again to go on.
        RunError: the run was asked to stop (run again to go on), was stopped by its guard, or has checkpoints none of
            which is valid.
        ConfigError: the model or the machine cannot be built as the settings say.
        DataError: the text is too short for the context.
    """
    begun = time.monotonic()
    machine = machine.resolve()
    plan = plan.resolved(machine.device)
    mark = fingerprint(plan.identity(), tokens.fingerprint)
    if (manifest := finished(out, mark, plain(plan))) is not None:
        return Run(out, manifest)
    with hold(out), stop_signals() as stopping, threads(int(machine.threads)):
        _claim(out, plan, machine, tokens.fingerprint, watch)
        job, state = _prepare(plan, machine, tokens, out, watch, mark, (tuple(checks), expected))
        try:
            session = _go_through(job, state, stopping, checkpoint_seconds)
            with evaluation_weights(state.optimiser):
                write_results(job, state)
        finally:
            state.log.close()
        write_timing(job, session, time.monotonic() - begun)
        checkpoint.prune(job.checkpoints, 1, machine.milestone_every)
        return seal_run(job)


def _claim(out: Path, plan: Plan, machine: Machine, tokens: str, watch: Watcher) -> None:
    """Write plan, machine and what the run is made from into a new folder, or check that an old one is of the same plan.

    The same tokens, or the same weights to start from, may come from a folder that was moved: then the plans differ in its
    path and the run is the same.
    """
    for left_over in out.glob(".*.partial"):
        left_over.unlink() if left_over.is_file() else shutil.rmtree(left_over)
    made_by, made_from = out / "plan.json", out / "inputs.json"
    inputs = {"tokens": tokens, **plan.train.inputs()}
    if made_by.is_file() and (out / METRICS).is_file():  # a plan that was refused has no metrics, and may be corrected
        earlier = json.loads(made_by.read_text(encoding="utf-8"))
        with contextlib.suppress(ValueError):  # a run from before a setting existed has what is its default now
            earlier = plain(Plan.model_validate(earlier))
        same = made_from.is_file() and json.loads(made_from.read_text(encoding="utf-8")) == inputs
        names = plan.identity() if same else plain(plan)
        changes = diff({name: earlier.get(name) for name in names}, {name: plain(plan)[name] for name in names})
        if same:
            changes.pop("train.start.path", None)
            changes.pop("train.sparsity.path", None)
        if changes or not same:
            shown = "".join(f"\n  {path}: {old} -> {new}" for path, (old, new) in list(changes.items())[:8])
            raise RecordError(f"{out} holds a run of another plan{shown or ' or from other tokens or weights'}\nChoose another "
                              "folder, or remove that one.")  # fmt: skip
    else:
        write_atomic(made_from, json.dumps(inputs) + "\n")
        write_atomic(made_by, json.dumps(plain(plan), indent=1, ensure_ascii=False) + "\n")
    if (card := out / "incident.json").is_file():
        incident = Incident.from_json(card.read_bytes())
        raise RunError(f"{out}: this run was stopped at step {incident.step}: {incident.seen}. {incident.advice}")
    used = out / "machine.json"
    text = json.dumps(plain(machine), indent=1) + "\n"
    if used.is_file() and used.read_text(encoding="utf-8") == text:
        return
    if used.is_file():
        watch(Note(f"{out} was begun with other machine settings; the run goes on, the same within rounding only."))
    write_atomic(used, text)


def _prepare(
    plan: Plan, machine: Machine, tokens: Tokens, out: Path, watch: Watcher, mark: str,
    beside: tuple[tuple[Check, ...], Expected | None],
) -> tuple[Job, State]:  # fmt: skip
    """Return the job and its state: the newest valid checkpoint's, or the start where none was ever made."""
    found, damaged = checkpoint.newest(out / "checkpoints", mark)
    for incident in damaged:
        watch(incident)
    model = plan.model.build(plan.ids(tokens.vocabulary))
    model.compute_dtype = DTYPES[plan.train.precision]
    if found is None:
        plan.train.start.fill(model, plan, tokens)
    model.to(machine.device)
    job = Job(plan, machine, tokens, out, watch, mark, losses(plan, machine, model, watch), *beside)
    trunk = None if found else plan.train.start.checkpoint(plan, tokens)
    kept = int(found.facts["metrics_bytes"]) if found else copy_history(trunk, out / METRICS) if trunk else 0
    log = MetricsLog(out / METRICS, kept)
    state = State(model, plan.train.optim.build(model), Detector(plan.train.guard), log, job.stream(()))
    state.clipper = plan.train.clip.build() if plan.train.clip else None
    state.pruner = new_pruner(plan, model)
    if before := found or trunk:
        checkpoint.restore(before, state)
        state.batches = job.stream(state.journal)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    watch(Started(out, state.step, plan.steps, parameters))
    return job, state


@final
@dataclass
class _Clock:
    """Seconds spent on steps, and when the last checkpoint and progress were due; nothing here reaches a weight."""

    saved: float
    shown: float = float("-inf")
    apart: float = 0.0
    """Seconds on anything but steps."""
    updates: int = 0
    """Those that a rewind undid are counted too."""
    tokens: int = 0


def _go_through(job: Job, state: State, stopping: Callable[[], bool], checkpoint_seconds: float) -> Session:
    """Take all steps that are missing; return what this process did.

    Raises:
        RunError: a signal asked to stop; the state was saved.
    """
    few = windows(job.tokens, job.plan.train.context, job.plan.train.evaluate_bytes)
    first, begun = state.step, time.monotonic()
    clock = _Clock(saved=begun)
    while state.step < job.plan.steps:
        before = state.tokens
        updated = take_step(job, state)
        now = time.monotonic()
        if updated:
            clock.updates, clock.tokens = clock.updates + 1, clock.tokens + state.tokens - before
        last = state.step == job.plan.steps
        if updated and (last or state.step % job.plan.evaluate_every == 0):
            with evaluation_weights(state.optimiser):
                _evaluate(job, state, few)
        stop = stopping()
        is_due = updated and (is_anchor(job.plan, state.step) or job.machine.is_milestone(state.step))
        if stop or last or is_due or now - clock.saved >= checkpoint_seconds:
            saved = save(job, state)
            clock.saved = time.monotonic()
            if stop and not last:
                raise _stopped(job, state, saved)
        if last or now - clock.shown >= _PROGRESS_SECONDS:
            clock.shown = now
            job.watch(Progress("training", state.step, job.plan.steps, "steps"))
        clock.apart += time.monotonic() - now
    seconds = time.monotonic() - begun - clock.apart
    return Session(first_step=first, steps=clock.updates, tokens=clock.tokens, seconds=max(0.0, seconds))


def _evaluate(job: Job, state: State, few: Windows) -> None:
    found = evaluated(job, few).metrics
    line = {"kind": "evaluation", "step": state.step, "tokens": state.tokens, "epoch": state.batches.epochs(state.step),
            **finite(found)}  # fmt: skip
    if epochs := state.batches.epochs_by_group(state.step):
        line["epochs"] = epochs
    checks = run_checks(job, state) if state.step < job.plan.steps else {}
    state.log.add(line | ({"checks": checks} if checks else {}))
    job.watch(Evaluated(state.step, job.plan.train.objective.metric, found))
    tell_diagnosis(job, state, diagnose(state.log.history, job.setting, job.expected))


def _stopped(job: Job, state: State, saved: bool) -> RunError:
    how = "run again to go on" if saved else "the checkpoint could not be written; run again to go on from the last one"
    return RunError(f"{job.out}: stopped at step {state.step} of {job.plan.steps}; {how}.")
