"""Shares of sources that follow the losses of the training: each change becomes an entry of the journal."""

from __future__ import annotations

import numpy as np

from pilotlight.tokens.journal import Weights
from pilotlight.train.state import Job, State


def follows_now(job: Job, done: int) -> bool:
    """Return whether the shares change after update ``done``; not after the last."""
    every = job.plan.train.order.updates_every()
    return every is not None and done % every == 0 and done < job.plan.steps


def follow_losses(job: Job, state: State, nats: np.ndarray, counts: np.ndarray) -> None:
    """Change the shares by the losses [batch context] of the batch before step ``state.step``, padding at 0 nats.

    ``counts`` holds the sum of the weights of each row's targets.

    The change is written into the journal and holds from the next batch on.
    """
    done, order, batches = state.step - 1, job.plan.train.order, state.batches
    groups = batches.groups_at(done)
    names = batches.mix.names if batches.mix is not None else ()
    sums = np.bincount(groups, weights=nats.sum(axis=1), minlength=len(names))
    tokens = np.bincount(groups, weights=counts, minlength=len(names))
    losses = {name: float(sums[at] / tokens[at]) for at, name in enumerate(names) if tokens[at]}
    before = next((entry for entry in reversed(state.journal) if isinstance(entry, Weights)), None)
    place = batches.draw(state.step)
    entry = order.update(job.tokens.split("train"), before, batches.shares(done), losses, place)
    state.journal.append(entry)
    state.batches = batches.with_journal(state.journal)
    state.log.add({"kind": "shares", "step": state.step, "losses": losses, "shares": entry.weights,
                   "epochs": state.batches.epochs_by_group(state.step)})  # fmt: skip
