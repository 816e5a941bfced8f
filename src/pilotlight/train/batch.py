"""The batch of a step, from text to tensors, and its gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, final

import numpy as np
import torch

from pilotlight.randomness import seed_for
from pilotlight.tokens.batches import Batches
from pilotlight.train.asked import Asked, pull
from pilotlight.train.examples import Draws, Examples, Vocabulary
from pilotlight.train.plan import Plan
from pilotlight.train.shares import follows_now
from pilotlight.train.state import Job, State

if TYPE_CHECKING:
    from jaxtyping import Float32, Int64


@final
class Drawn(NamedTuple):
    """The text of a batch before anything is asked about it."""

    rows: Int64[np.ndarray, "rows context+1"]
    weights: Float32[np.ndarray, "rows context"]
    """0 where an id of ``rows[:, 1:]`` is not to be predicted."""
    documents: Int64[np.ndarray, "rows context+1"] | None = None
    """Number of the document of each id; None: documents are not kept apart."""


@final
@dataclass
class Batch:
    """What is asked in one step, on the device, and what counts in it."""

    asked: Asked
    tokens: int
    """Tokens of the text that are gone through, without padding."""
    counts: Float32[np.ndarray, " rows"]
    """Sum of the weights of the targets of each row."""
    weights: torch.Tensor | None
    """float32 [batch context]: how much each target counts; None where all count alike."""
    losses: list[torch.Tensor] | None = None
    """Nats of the rows times their weights, [part context] each; kept only where a list is given."""


def text_at(batches: Batches, step: int, *, apart: bool, end: int) -> Drawn:
    """Return the text of a step; ``apart`` numbers its documents.

    Documents are kept apart as held-out text is read: from the end token before it, if there is one, a document begins, and
    its first token is predicted from that alone. A document whose beginning was cut off starts from nothing, and what
    stands first in its rest is not predicted.
    """
    rows, weights = batches.at(step), batches.weights_at(step)
    if not apart:
        return Drawn(rows, weights)
    begins = batches.positions_at(step) == 0
    is_first = batches.weights_at(step, first_tokens=False) < weights
    after_end = is_first & (rows[:, :-1] == end)
    starts = begins.copy()
    starts[:, 1:] &= ~after_end
    starts[:, :-1] |= after_end
    documents = np.cumsum(starts, axis=1) - 1
    return Drawn(rows, np.where(begins[:, 1:] & ~after_end, np.float32(0), weights), documents - documents[:, :1])


def examples_of(plan: Plan, text: Drawn, step: int, vocabulary: Vocabulary) -> Examples:
    """Return what is asked about a text in training: by the objective, then changed by the augmentations."""
    training = plan.train
    draws = Draws(plan.seed_of("objective"), "objective", step)
    found = training.objective.examples(text.rows, text.weights, text.documents, draws, vocabulary)
    extra = vocabulary.extra + training.objective.extra_ids
    for number, augmentation in enumerate(training.augmentations):
        draws = Draws(plan.seed_of("augmentations"), f"augmentation {number}", step)
        own = vocabulary._replace(extra=extra)
        found = found._replace(inputs=augmentation.change(found.inputs, draws, own))
        extra += augmentation.extra_ids
    return found


def row_seeds(plan: Plan, step: int, rows: int) -> Int64[np.ndarray, " rows"] | None:
    """Return a number below 2^31 for each row of a step, from which dropout follows; None where nothing is dropped."""
    if not plan.model.dropout:
        return None
    seed = plan.seed_of("dropout")
    return np.array([seed_for(seed, "dropout", step, row) & 0x7FFFFFFF for row in range(rows)], dtype=np.int64)


def batch_of(job: Job, state: State, step: int) -> Batch:
    """Return the batch of ``step``; its losses are kept where the shares of sources will follow them."""
    batches, plan, device = state.batches, job.plan, job.machine.device
    text = text_at(batches, step, apart=plan.train.documents == "separate", end=job.vocabulary.end)
    found = examples_of(plan, text, step, job.vocabulary)
    asked = Asked.of(found, device, training=True, seeds=row_seeds(plan, step, len(text.rows)))
    weights = None if (found.weights == 1).all() else torch.from_numpy(found.weights).to(device)
    losses = [] if follows_now(job, step + 1) else None
    return Batch(asked, batches.counted(step), found.weights.sum(axis=1, dtype=np.float64), weights, losses)


def gradient(job: Job, state: State, batch: Batch) -> tuple[float, float]:
    """Return the mean nats per target of ``batch`` and the norm of its gradient, left on the model.

    The parts of a batch are summed as nats times weights over the weights of the whole batch, so that how many rows are in
    memory at once changes nothing but rounding. The two numbers are the only wait for the device in a step.
    """
    state.optimiser.zero_grad(set_to_none=True)
    parts: list[torch.Tensor] = []
    at_once = job.machine.rows_at_once or len(batch.counts)
    total = float(batch.counts.sum()) or 1.0
    if batch.losses is not None:
        batch.losses.clear()
    for number, part in enumerate(batch.asked.parts(at_once)):
        weights = None if batch.weights is None else batch.weights[number * at_once : (number + 1) * at_once]
        share, nats = pull(job.losses, part, weights, total)
        if batch.losses is not None:
            batch.losses.append(nats)
        parts.append(share)
    if state.pruner is not None:
        state.pruner.mask_gradients(state.step + 1)
    loss = parts[0] if len(parts) == 1 else torch.stack(parts).sum()
    loss, norm = torch.stack([loss, torch.nn.utils.get_total_norm(_gradients(state))]).tolist()
    return loss, norm


def _gradients(state: State) -> list[torch.Tensor]:
    groups = state.optimiser.param_groups  # walking the modules instead costs as much as the rest of the bookkeeping
    return [parameter.grad for group in groups for parameter in group["params"] if parameter.grad is not None]
