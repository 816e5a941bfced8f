"""How a batch is computed decides nothing: in parts or whole, compiled or not."""

from __future__ import annotations

import shutil
import warnings

import pytest
import torch
from safetensors.torch import load_file
from training_examples import ONE, plan_of

from pilotlight.train.loop import train

STEPS = 4


def trained(tokens, out, machine=ONE, **settings):
    run = train(plan_of(STEPS, clip=None, **settings), machine, tokens, out)
    return run.lines("step"), load_file(run.model / "model.safetensors")


def agree(one, other) -> None:
    """Losses, norms and weights agree to rounding; by SGD, since Adam makes rounding in a gradient of nothing an update."""
    for name in ("loss", "gradient_norm"):
        assert [line[name] for line in one[0]] == pytest.approx([line[name] for line in other[0]], rel=1e-4)
    for name, value in one[1].items():
        torch.testing.assert_close(value, other[1][name], rtol=1e-4, atol=1e-5, msg=name)


@pytest.mark.parametrize("packing", ["concat", "best_fit"])
def test_a_batch_in_parts_trains_like_the_whole_batch(packing, tokens, tmp_path):
    whole = trained(tokens, tmp_path / "whole", packing=packing, optim={"kind": "sgd", "lr": 0.1})
    for at_once in (1, 3):
        machine = ONE.model_copy(update={"rows_at_once": at_once})
        parts = trained(tokens, tmp_path / f"{at_once}", machine, packing=packing, optim={"kind": "sgd", "lr": 0.1})
        agree(whole, parts)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_compiled_it_trains_as_it_does_uncompiled(tokens, tmp_path):
    plain = trained(tokens, tmp_path / "plain", optim={"kind": "sgd", "lr": 0.1})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        machine = ONE.model_copy(update={"compile": True})
        compiled = trained(tokens, tmp_path / "compiled", machine, optim={"kind": "sgd", "lr": 0.1})
    agree(plain, compiled)
