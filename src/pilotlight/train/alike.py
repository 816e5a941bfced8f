"""Which trainings can be computed in one program: those of one shape. No torch here."""

from __future__ import annotations

from pilotlight.spec import fingerprint, plain
from pilotlight.train.plan import Plan

_OF_THE_START = ("initialisation", "embedding_std", "matrix_gain")


def shape_of(plan: Plan, vocabulary: int) -> str:
    """Return the same word for plans, with tokens of so many ids, whose losses one program computes.

    Seeds, data order, optimiser, schedule, clipping, sparsity, guard and the weights at the start may differ.
    """
    train = plan.train
    model = {name: value for name, value in plain(plan.model).items() if name not in _OF_THE_START}
    return fingerprint(
        model, plan.ids(vocabulary), plain(train.objective), plan.steps, train.rows, train.context, train.precision,
        train.documents, plain(train.rows_warmup) if train.rows_warmup else None,
    )  # fmt: skip
