"""How long a step of a plan takes on this machine: a short, thrown-away piece of the training itself."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import NamedTuple, final

from pilotlight.events import silent
from pilotlight.model.weight import initialise
from pilotlight.tokens.held_out import windows
from pilotlight.tokens.tokens import Tokens
from pilotlight.train.compute import losses
from pilotlight.train.final import DTYPES
from pilotlight.train.finish import evaluated
from pilotlight.train.guard import Detector
from pilotlight.train.hardware import threads
from pilotlight.train.log import MetricsLog
from pilotlight.train.machine import Machine
from pilotlight.train.plan import Plan
from pilotlight.train.start import new_pruner
from pilotlight.train.state import Job, State
from pilotlight.train.step import take_step

WARM_UP = 3  # steps not counted: the first ones allocate memory, choose kernels and wake the cores
LEAST_STEPS = 5


@final
class Throughput(NamedTuple):
    """Seconds of single steps, in order, and of scoring one window of held-out text."""

    steps: list[float]
    window: float


def throughput(plan: Plan, machine: Machine, tokens: Tokens, seconds: float) -> Throughput:
    """Return the seconds of each step of ``plan`` over about ``seconds`` of training, nothing of which is kept.

    Raises:
        ConfigError: the model or the machine cannot be built as the settings say.
        DataError: the text is too short for the context.
    """
    machine = machine.resolve()
    plan = plan.resolved(machine.device)
    full = plan.train.model_copy(update={"rows_warmup": None})  # a few first batches would not tell of the others
    plan = plan.model_copy(update={"train": full})
    with tempfile.TemporaryDirectory() as folder, threads(int(machine.threads)):
        out = Path(folder)
        model = plan.model.build(plan.ids(tokens.vocabulary))
        model.compute_dtype = DTYPES[plan.train.precision]
        initialise(model, plan.seed_of("weights"))
        model.to(machine.device)
        job = Job(plan, machine, tokens, out, silent, "", losses(plan, machine, model, silent))
        log = MetricsLog(out / "metrics.jsonl", 0)
        state = State(model, plan.train.optim.build(model), Detector(plan.train.guard), log, job.stream(()))
        state.clipper = plan.train.clip.build() if plan.train.clip else None
        state.pruner = new_pruner(plan, model)
        try:
            return Throughput(_steps(job, state, seconds), _window(job))
        finally:
            log.close()


def _steps(job: Job, state: State, seconds: float) -> list[float]:
    found: list[float] = []
    end = time.perf_counter() + seconds
    while len(found) < WARM_UP + LEAST_STEPS or time.perf_counter() < end:
        begun = time.perf_counter()
        take_step(job, state)  # waits for the device itself: the loss is read back
        found.append(time.perf_counter() - begun)
    return found[WARM_UP:]


def _window(job: Job) -> float:
    few = windows(job.tokens, job.plan.train.context, job.plan.train.evaluate_bytes)
    begun = time.perf_counter()
    evaluated(job, few)
    return (time.perf_counter() - begun) / max(1, len(few.ids))
