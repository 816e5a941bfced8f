"""One step: the gradient of a batch, whether it is believed, and the update."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch

from pilotlight.errors import RunError
from pilotlight.manifest import write_atomic
from pilotlight.record.incident import Incident
from pilotlight.tokens.journal import Skip
from pilotlight.train.events import Stepped
from pilotlight.train.shares import follow_losses, follows_now
from pilotlight.train.state import Job, State


@final
@dataclass
class Batch:
    """The rows of one step on the device, and what counts in them."""

    rows: torch.Tensor
    """int64 [batch context+1]"""
    tokens: int
    """Targets that count."""
    weights: torch.Tensor | None
    """float32 [batch context]: 0 for padding; None where all targets count."""
    losses: list[torch.Tensor] | None = None
    """Nats of the rows, [part context] each; kept only where a list is given."""


def batch_of(job: Job, state: State) -> Batch:
    """Return the next batch; its losses are kept where the shares of sources will follow them."""
    batches, device = state.batches, job.machine.device
    rows = torch.from_numpy(batches.at(state.step)).to(device)
    tokens = batches.counted(state.step)
    whole = tokens == batches.rows * batches.context
    weights = None if whole else torch.from_numpy(batches.weights_at(state.step)).to(device)
    return Batch(rows, tokens, weights, [] if follows_now(job, state.step + 1) else None)


def gradient(job: Job, state: State, batch: Batch) -> tuple[float, float]:
    """Return the mean nats per token of ``batch`` and the norm of its gradient, left on the model.

    The parts of a batch are summed as nats over the number of all tokens that count, so that how many rows are in
    memory at once changes nothing but rounding. The two numbers are the only wait for the device in a step.
    """
    state.optimiser.zero_grad(set_to_none=True)
    parts: list[torch.Tensor] = []
    at_once = job.machine.rows_at_once or len(batch.rows)
    if batch.losses is not None:
        batch.losses.clear()
    for number, part in enumerate(batch.rows.split(at_once)):
        nats = job.losses(part)
        if batch.weights is not None:
            nats = nats * batch.weights[number * at_once : (number + 1) * at_once]
        if batch.losses is not None:
            batch.losses.append(nats.detach())
        share = nats.sum() / batch.tokens
        share.backward()
        parts.append(share.detach())
    loss = parts[0] if len(parts) == 1 else torch.stack(parts).sum()
    loss, norm = torch.stack([loss, torch.nn.utils.get_total_norm(_gradients(state))]).tolist()
    return loss, norm


def _gradients(state: State) -> list[torch.Tensor]:
    groups = state.optimiser.param_groups  # walking the modules instead costs as much as the rest of the bookkeeping
    return [parameter.grad for group in groups for parameter in group["params"] if parameter.grad is not None]


def apply(job: Job, state: State, norm: float) -> float:
    """Update the model with the gradient it holds, clipped to the plan's norm; return the schedule's factor."""
    clip = job.plan.train.clip
    if clip is not None and norm > clip:
        for found in _gradients(state):
            found.mul_(clip / norm)
    factor = job.plan.train.schedule.factor(state.step, job.plan.steps)
    for group in state.optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    state.optimiser.step()
    return factor


def take_step(job: Job, state: State) -> bool:
    """Update the model with the next batch, or take that batch out of the stream; return whether it was an update.

    A non-finite step is computed a second time; what is not to be believed touches neither the weights nor the
    optimiser nor the detector's window.

    Raises:
        RunError: more batches were skipped than the guard allows; ``incident.json`` in the run folder says what.
    """
    batch = batch_of(job, state)
    loss, norm = gradient(job, state, batch)
    judgement = state.detector.judge(loss, norm)
    if judgement == "non_finite":
        seen = _seen(loss, norm)
        loss, norm = gradient(job, state, batch)
        judgement = state.detector.judge(loss, norm)
        if judgement != "non_finite":
            _report(job, state, "non_finite", seen, "the same batch was computed again and came out finite: a fault "
                    "of the machine, not of the data")  # fmt: skip
    if judgement != "accept":
        _skip(job, state, judgement, _seen(loss, norm))
        return False
    factor = apply(job, state, norm)
    state.detector.accept(loss, norm)
    state.tokens += batch.tokens
    _log_step(job, state, loss, norm, factor)
    state.step += 1
    if batch.losses is not None:
        follow_losses(job, state, torch.cat(batch.losses).cpu().double().numpy())
    return True


def _seen(loss: float, norm: float) -> str:
    return f"loss {loss:.6g} nats per token, gradient norm {norm:.6g}"


def _log_step(job: Job, state: State, loss: float, norm: float, factor: float) -> None:
    done, tokens, rate = state.step + 1, state.tokens, job.plan.train.optim.lr * factor
    state.log.add({"kind": "step", "step": done, "tokens": tokens, "epoch": state.batches.epochs(done), "loss": loss,
                   "lr": rate, "gradient_norm": norm})  # fmt: skip
    job.watch(Stepped(done, tokens, loss, rate, norm))


def _report(job: Job, state: State, kind: str, seen: str, action: str, advice: str = "") -> Incident:
    incident = Incident.model_validate(
        {"kind": kind, "step": state.step, "seen": seen, "action": action, "advice": advice}
    )
    state.incidents.append(incident)
    job.watch(incident)
    return incident


def _skip(job: Job, state: State, judgement: str, seen: str) -> None:
    state.optimiser.zero_grad(set_to_none=True)
    if judgement == "spike" and (limits := state.detector.limits()):
        seen += f"; flagged above {limits[0]:.6g} or {limits[1]:.6g}"
    _report(job, state, judgement, seen, f"batch {state.batches.draw(state.step)} was taken out of the stream; weights "
            "and optimiser are as before")  # fmt: skip
    state.log.add({"kind": "skip", "step": state.step, "why": seen})
    state.journal.append(Skip(first=state.step, last=state.step))
    state.batches = job.stream(state.journal)
    if state.detector.skip(state.step):
        return
    settings = job.plan.train.guard
    card = _report(
        job, state, "budget", f"{settings.skips + 1} batches skipped within {settings.within} steps; the last: {seen}",
        "the run stopped", "The training is unstable or its data is damaged, and would stop here again: look at "
        "the text of the skipped batches, or train again in a new folder with a lower train.optim.lr or more "
        "train.guard.skips.",
    )  # fmt: skip
    write_atomic(job.out / "incident.json", card.to_json() + "\n")
    raise RunError(f"{job.out}: stopped at step {state.step} of {job.plan.steps}: {card.seen}. {card.advice}")
