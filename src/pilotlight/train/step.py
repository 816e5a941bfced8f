"""One step: the gradient of a batch, whether it is believed, and the update."""

from __future__ import annotations

import torch

from pilotlight.train.batch import batch_of, gradient
from pilotlight.train.events import Stepped
from pilotlight.train.ladder import judged, report, seen_of, skip, watch_level
from pilotlight.train.probe import Probe, probes_now, tell
from pilotlight.train.shares import follow_losses
from pilotlight.train.state import Job, State


def apply(job: Job, state: State, norm: float) -> float:
    """Update the model with the gradient it holds, bounded as the plan says; return the schedule's factor."""
    if state.clipper is not None:
        groups = state.optimiser.param_groups
        state.clipper.clip([one for group in groups for one in group["params"] if one.grad is not None], norm)
    factor = job.plan.train.schedule.factor(state.step, job.plan.steps) * state.rate()
    for group in state.optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    state.optimiser.step()
    if state.pruner is not None:
        state.pruner.after_update(state.step + 1, state.optimiser)
    return factor


def take_step(job: Job, state: State) -> bool:
    """Update the model with the next batch, or take that batch out of the stream; return whether it was an update.

    A non-finite step is computed a second time; what is not to be believed touches neither the weights nor the
    optimiser nor the detector's window. Where skipping is not enough the state is rewound, which is no update either.

    Raises:
        RunError: the guard's means are spent; ``incident.json`` in the run folder says what was seen.
    """

    def measure(step: int) -> tuple[float, float]:
        found = gradient(job, state, batch_of(job, state, step))
        state.optimiser.zero_grad(set_to_none=True)
        return found

    batch = batch_of(job, state, state.step)
    loss, norm = gradient(job, state, batch)
    judgement = judged(state, loss, norm)
    if judgement == "non_finite":
        seen = seen_of(loss, norm)
        loss, norm = gradient(job, state, batch)
        judgement = judged(state, loss, norm)
        if judgement != "non_finite":
            report(job, state, "non_finite", seen, "the same batch was computed again and came out finite: a fault "
                   "of the machine, not of the data")  # fmt: skip
    if judgement != "accept":
        state.optimiser.zero_grad(set_to_none=True)
        skip(job, state, judgement, seen_of(loss, norm), measure)
        return False
    probe = Probe(state.model) if probes_now(job, state.step + 1) else None
    factor = apply(job, state, norm)
    state.detector.accept(loss, norm)
    state.tokens += batch.tokens
    _log_step(job, state, loss, norm, factor)
    state.step += 1
    if probe is not None:
        tell(job, state, probe, batch.asked)
    if batch.losses is not None:
        follow_losses(job, state, torch.cat(batch.losses).cpu().double().numpy(), batch.counts)
    return not watch_level(job, state, measure)


def _log_step(job: Job, state: State, loss: float, norm: float, factor: float) -> None:
    done, tokens, rate = state.step + 1, state.tokens, job.plan.train.optim.lr * factor
    state.log.add({"kind": "step", "step": done, "tokens": tokens, "epoch": state.batches.epochs(done), "loss": loss,
                   "lr": rate, "gradient_norm": norm})  # fmt: skip
    job.watch(Stepped(done, tokens, loss, rate, norm))
