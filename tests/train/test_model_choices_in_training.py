"""Choices in the model that could tell one micro-batch from another are trained as a whole batch is."""

from __future__ import annotations

import pytest
import torch
from training_examples import ONE, plan_of

from pilotlight.train.final import open_model
from pilotlight.train.loop import train


@pytest.mark.parametrize(
    "choices",
    [
        {"feedforward": {"kind": "experts", "balance": 1.0}, "dropout": 0.2, "repeats": 2},
        {"residual": "rezero", "position": "alibi", "softcap": 20.0, "initialisation": {"kind": "orthogonal"}},
    ],
)
def test_rows_one_by_one_train_the_model_of_all_rows_at_once(choices, tokens, tmp_path):
    plan = plan_of(steps=2)
    plan = plan.model_copy(update={"model": type(plan.model).model_validate(plan.model.model_dump() | choices)})
    models = {}
    for rows in (4, 1):
        run = train(plan, ONE.model_copy(update={"rows_at_once": rows}), tokens, tmp_path / str(rows))
        models[rows], _ = open_model(run.folder)
    for (name, one), other in zip(models[4].named_parameters(), models[1].parameters(), strict=True):
        # Adam turns the rounding of a gradient near 0 into a step: single values may differ, most must not.
        apart = (one - other).abs() > 1e-4
        assert float(apart.float().mean()) < 0.02, name
    ids = torch.arange(60)[None]
    torch.testing.assert_close(models[4].logits(ids), models[1].logits(ids), atol=2e-2, rtol=2e-2)
