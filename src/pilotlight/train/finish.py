"""The end of a run: all scores, the model, the facts, and the manifest last."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pilotlight.manifest import NAME, FileRecord, Manifest, sha256, versions, write_atomic
from pilotlight.model.size import measure
from pilotlight.record.diagnosis import Diagnosis
from pilotlight.record.run import (
    FACTS,
    KIND,
    METRICS,
    SCORES,
    TIMING,
    Run,
    RunFacts,
    Session,
    Timing,
    kept_lines,
    read_lines,
)
from pilotlight.spec import plain
from pilotlight.tokens.held_out import Windows, windows
from pilotlight.tokens.tokens import SplitName
from pilotlight.train.diagnose import diagnose_end
from pilotlight.train.evaluate import Evaluation, evaluate
from pilotlight.train.events import Finished
from pilotlight.train.final import write_model
from pilotlight.train.fit import judge_fit
from pilotlight.train.state import Job, State

_TRAIN_SHARE = 0.25  # of the scored held-out bytes: enough to see a gap


def rows_at_once(job: Job) -> int:
    """Return how many rows are in memory at once in training, and so in scoring."""
    return min(job.machine.rows_at_once or job.plan.train.rows, job.plan.train.rows)


def _scored(job: Job, limit: float, split: SplitName) -> Evaluation:
    return evaluated(job, windows(job.tokens, job.plan.train.context, limit, split))


def evaluated(job: Job, found: Windows) -> Evaluation:
    """Return how well the model does on windows, in the metric of its objective."""
    objective, rows = job.plan.train.objective, rows_at_once(job)
    return evaluate(job.losses, objective, found, job.vocabulary, rows=rows, device=job.machine.device)


def write_results(job: Job, state: State) -> None:
    """Score everything and write scores, model and facts.

    Raises:
        ResourceError: the disk is full; the run can be finished by running it again.
    """
    held_out = _scored(job, job.plan.train.score_bytes, "held_out")
    train = _scored(job, job.plan.train.score_bytes * _TRAIN_SHARE, "train")
    text = "".join(score.to_json(indent=None) + "\n" for score in held_out.scores())
    write_atomic(job.out / SCORES, text)
    checks = run_checks(job, state)
    log_final(job, state, held_out, train, checks)
    if job.expected is not None and "bits_per_byte" in held_out.metrics:
        bits_per_byte = held_out.metrics["bits_per_byte"]
        tell_diagnosis(job, state, diagnose_end(state.log.history, job.setting, job.expected, bits_per_byte))
    state.log.sync()
    write_model(job, state.model)
    facts = _facts(job, state, held_out, train, checks)
    write_atomic(job.out / FACTS, facts.to_json() + "\n")


def tell_diagnosis(job: Job, state: State, found: Diagnosis | None) -> None:
    """Enter a diagnosis, where there is one, into the metrics and tell the watcher."""
    if found is not None:
        state.log.add({"kind": "diagnosis", **found.model_dump(mode="json")})
        job.watch(found)


def run_checks(job: Job, state: State) -> dict[str, float]:
    """Return the results of the benchmarks in the loop, by name."""
    return {name: float(value) for check in job.checks for name, value in check(state.model, state.step).items()}


def finite(values: dict[str, float]) -> dict[str, float]:
    """Return ``values`` with the largest float for infinity, which JSON cannot hold."""
    return {name: value if math.isfinite(value) else 1.7976931348623157e308 for name, value in values.items()}


def log_final(job: Job, state: State, held_out: Evaluation, train: Evaluation, checks: dict[str, float]) -> None:
    """Add the last line of the metrics: all held-out text."""
    metric = held_out.metric
    line: dict[str, Any] = {"kind": "final", "step": state.step, "tokens": state.tokens,
                            "epoch": state.batches.epochs(state.step), **finite(held_out.metrics),
                            f"train_{metric}": train.metrics[metric]}  # fmt: skip
    state.log.add(line | ({"checks": checks} if checks else {}))


def _facts(job: Job, state: State, held_out: Evaluation, train: Evaluation, checks: dict[str, float]) -> RunFacts:
    plan = job.plan
    size = measure(plan.model, plan.ids(job.tokens.vocabulary), plan.train.context)
    metrics, metric = finite(held_out.metrics), held_out.metric
    on_train, epochs = train.metrics[metric], state.batches.epochs(state.step)
    gap = metrics[metric] - on_train
    lines = kept_lines(read_lines(job.out / METRICS))
    fit, why = judge_fit(lines, gap=gap, loss=metrics[metric], epochs=epochs, metric=metric)
    return RunFacts(
        status="finished",
        fingerprint=job.fingerprint,
        metrics=metrics,
        metric=metric,
        train_bits_per_byte=on_train if metric == "bits_per_byte" else None,
        gap=gap,
        parameters=size.parameters,
        total_parameters=size.total_parameters,
        tokens=state.tokens,
        epochs=epochs,
        steps=state.step,
        flops=size.training_flops_per_token * plan.tokens,
        zero_share=state.pruner.zero_share() if state.pruner is not None else None,
        bytes_per_token=job.tokens.bytes_per_token,
        scored_bytes=int(held_out.bytes.sum()),
        fit=fit,
        why=why,
        incidents=tuple(state.incidents),
        checks=checks,
        precision=plan.train.precision,
        versions=_versions(),
    )


def _versions() -> dict[str, str]:
    return versions("torch", "numpy", "safetensors")


def write_timing(job: Job, session: Session, seconds: float) -> None:
    """Add this process's session to ``timing.json``."""
    path = job.out / TIMING
    earlier: tuple[Session, ...] = ()
    if path.is_file():
        try:
            earlier = Timing.from_json(path.read_bytes()).sessions
        except ValueError:
            earlier = ()  # clock readings are no reason to stop
    sessions = (*earlier, session) if session.steps else earlier
    spent = sum(one.seconds for one in sessions)
    timing = Timing(
        device=job.machine.device, threads=int(job.machine.threads), seconds=seconds,
        tokens_per_second=sum(one.tokens for one in sessions) / spent if spent else None, sessions=sessions,
    )  # fmt: skip
    write_atomic(path, timing.to_json() + "\n")


def seal_run(job: Job) -> Run:
    """Return the run, now finished: its manifest holds the hash of every file but checkpoints and clock readings.

    Those two differ between a run that was killed and one that was not; all else is the same byte for byte.
    """
    names = ["plan.json", "machine.json", METRICS, SCORES, FACTS]
    paths = [job.out / name for name in names]
    paths += sorted(path for path in (job.out / "model").rglob("*") if path.is_file())
    manifest = Manifest(
        kind=KIND, fingerprint=job.fingerprint, settings=plain(job.plan),
        inputs={"tokens": job.tokens.fingerprint, **job.plan.train.inputs()}, facts=job.plan.train.start.facts(),
        files={path.relative_to(job.out).as_posix(): _record(path) for path in paths}, versions=_versions(),
    )  # fmt: skip
    write_atomic(job.out / NAME, manifest.to_json() + "\n")
    run = Run(job.out, manifest)
    job.watch(Finished(job.out, run.facts.metric, run.facts.metrics[run.facts.metric]))
    return run


def _record(path: Path) -> FileRecord:
    return FileRecord(bytes=path.stat().st_size, sha256=sha256(path))
