"""The weights and the rest of the state at the beginning: at step 0, or where another run was branched off from."""

from __future__ import annotations

from torch import nn

from pilotlight.train import checkpoint
from pilotlight.train.guard import Detector
from pilotlight.train.plan import Plan
from pilotlight.train.sparsity._pruner import Pruner
from pilotlight.train.state import Job, State


def new_pruner(plan: Plan, model: nn.Module) -> Pruner | None:
    """Return what keeps weights of ``model`` at zero, some from now on; None where the plan does not ask for it."""
    sparsity = plan.train.sparsity
    return sparsity.build(model, plan.seed_of("sparsity"), plan.steps) if sparsity is not None else None


def start_over(job: Job, state: State) -> None:
    """Put ``state`` back to the beginning: weights as the plan's start gives them, nothing learned, nothing skipped.

    Faults that were met stay known, and so do the rewinds.
    """
    fresh = job.plan.model.build(job.plan.ids(job.tokens.vocabulary))
    job.plan.train.start.fill(fresh, job.plan, job.tokens)
    state.model.load_state_dict(fresh.state_dict())  # buffers too, and the parameters stay the ones that were compiled
    state.optimiser = job.plan.train.optim.build(state.model)
    state.detector = Detector(job.plan.train.guard)
    state.clipper = job.plan.train.clip.build() if job.plan.train.clip else None
    state.pruner = new_pruner(job.plan, state.model)
    state.step = state.tokens = 0
    state.journal, state.rates = [], []
    state.batches = job.stream(())
    if trunk := job.plan.train.start.checkpoint(job.plan, job.tokens):
        checkpoint.restore(trunk, state)
        state.batches = job.stream(state.journal)
