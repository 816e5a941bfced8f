"""Every kind of sparse training keeps these promises."""

from __future__ import annotations

import copy
import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "train"))

from safetensors.torch import load_file
from training_examples import ONE, digest, plan_of, tokens_in

from pilotlight.model.decoder import Decoder
from pilotlight.model.weight import Role, initialise, role_of
from pilotlight.spec import discover
from pilotlight.train.events import Saved
from pilotlight.train.loop import train
from pilotlight.train.optim import Optim
from pilotlight.train.sparsity import Sparsity
from pilotlight.train.sparsity._pruner import Pruner, prunable

KINDS = discover(Sparsity.folder)
pytestmark = pytest.mark.parametrize("kind", KINDS)
STEPS, SHARE = 12, 0.75


class Walk:
    """A model with stacks of matrices that is moved by made-up gradients, all of them large, under a sparsity."""

    def __init__(self, kind: str, seed: int = 1, optim: str = "adamw") -> None:
        shape = {
            "depth": 1, "width": 16, "mixer": {"kind": "grouped", "head_dim": 16},
            "feedforward": {"kind": "experts", "experts": 3, "active": 1},
        }  # fmt: skip
        self.model = Decoder.model_validate(shape).build(20)
        initialise(self.model, 1)
        settings = {"kind": kind, "share": SHARE}
        if "every" in KINDS[kind].model_fields:
            settings["every"] = 2
        self.pruner: Pruner = Sparsity.choose(settings).build(self.model, seed, STEPS)
        self.optimiser = Optim.choose({"kind": optim, "lr": 0.01, "weight_decay": 0.5}).build(self.model)

    def step(self, done: int) -> None:
        for number, parameter in enumerate(self.model.parameters()):
            draw = torch.Generator().manual_seed(1000 * done + number)
            parameter.grad = torch.randn(parameter.shape, generator=draw)
        self.pruner.mask_gradients(done)
        self.check(gradients=True)
        self.optimiser.step()
        self.pruner.after_update(done, self.optimiser)

    def to(self, done: int) -> Walk:
        for step in range(1, done + 1):
            self.step(step)
            self.check()
        return self

    def check(self, *, gradients: bool = False) -> None:
        """Check that what is pruned is zero in weights, gradients and moments, and that what is kept can move."""
        for name, parameter in self.pruner.matrices.items():
            pruned = ~self.pruner.masks[name]
            assert not parameter.detach()[pruned].any()
            if gradients:
                assert not parameter.grad[pruned].any()
                assert parameter.grad[~pruned].all()
            for what, value in self.optimiser.state.get(parameter, {}).items():
                if value.shape == parameter.shape:
                    assert not value[pruned].any(), what


def test_the_share_of_zeros_is_reached_at_the_end_over_all_matrices(kind):
    pruner = Walk(kind).to(STEPS).pruner
    kept = sum(int(mask.sum()) for mask in pruner.masks.values())
    whole = sum(mask.numel() for mask in pruner.masks.values())
    stacks = sum(mask[..., 0, 0].numel() for mask in pruner.masks.values())
    assert abs(kept - (1 - SHARE) * whole) <= stacks  # a weight of each matrix for rounding
    assert pruner.zero_share() == pytest.approx(SHARE, abs=stacks / whole)


def test_only_matrices_inside_blocks_are_pruned(kind):
    walk = Walk(kind).to(STEPS)
    named = dict(walk.model.named_parameters())
    assert set(walk.pruner.masks) == set(prunable(walk.model))
    assert {role_of(named[name]) for name in walk.pruner.masks} == {Role.MATRIX}
    others = {name: value for name, value in named.items() if name not in walk.pruner.masks}
    assert {role_of(value) for value in others.values()} >= {Role.EMBEDDING, Role.VECTOR}
    assert all(bool(value.all()) for value in others.values())


def test_every_matrix_of_a_stack_keeps_as_many(kind):
    for mask in Walk(kind).to(STEPS).pruner.masks.values():
        assert len(set(mask.flatten(-2).sum(-1).flatten().tolist())) == 1


def test_the_same_seed_gives_the_same_bits(kind):
    one, two = Walk(kind).to(STEPS), Walk(kind).to(STEPS)
    assert all(torch.equal(one.pruner.masks[name], two.pruner.masks[name]) for name in one.pruner.masks)
    assert all(torch.equal(a, b) for a, b in zip(one.model.parameters(), two.model.parameters(), strict=True))


def test_masks_are_a_copy_of_tensors_and_restoring_them_goes_on_bit_for_bit(kind):
    for middle in (1, 6, 11):
        whole = Walk(kind).to(middle)
        again = Walk(kind, seed=1).to(3)  # what is there is replaced
        again.model.load_state_dict(whole.model.state_dict())
        again.optimiser.load_state_dict(copy.deepcopy(whole.optimiser.state_dict()))
        again.pruner.restore({name: mask.clone() for name, mask in whole.pruner.state().items()}, again.optimiser)
        for done in range(middle + 1, STEPS + 1):
            whole.step(done)
            again.step(done)
        assert all(torch.equal(a, b) for a, b in zip(whole.model.parameters(), again.model.parameters(), strict=True))
        assert all(torch.equal(whole.pruner.masks[name], again.pruner.masks[name]) for name in whole.pruner.masks)


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    return tokens_in(tmp_path_factory.mktemp("packed") / "tokens")


def test_a_training_that_is_killed_twice_ends_bit_for_bit_the_same_with_its_zeros_in_the_model(kind, tokens, tmp_path):
    every = {"every": 2} if "every" in KINDS[kind].model_fields else {}
    plan = plan_of(steps=9, sparsity={"kind": kind, "share": SHARE, **every})
    whole = train(plan, ONE, tokens, tmp_path / "whole")
    for last in (4, 6):

        def leave(event, last=last):
            if isinstance(event, Saved) and event.step == last:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            train(plan, ONE, tokens, tmp_path / "parts", watch=leave, checkpoint_seconds=0)
    train(plan, ONE, tokens, tmp_path / "parts", checkpoint_seconds=0)
    assert digest(tmp_path / "parts") == digest(whole.folder)
    weights = load_file(whole.folder / "model" / "model.safetensors")
    (last,) = sorted((whole.folder / "checkpoints").iterdir())[-1:]
    masks = load_file(last / "masks.safetensors")
    assert masks
    assert all(not weights[name][~mask].any() for name, mask in masks.items())
    zeros = sum(int((weights[name] == 0).sum()) for name in masks)
    assert whole.facts.zero_share == zeros / sum(mask.numel() for mask in masks.values())
    assert whole.facts.zero_share == pytest.approx(SHARE, abs=0.002)


def test_it_is_another_training_than_the_dense_one(kind):
    dense, sparse = plan_of(), plan_of(sparsity=kind)
    assert "sparsity" not in dense.identity()["train"]
    assert sparse.identity()["train"]["sparsity"]["kind"] == kind


def test_settings_survive_json(kind):
    settings = KINDS[kind]()
    assert Sparsity.choose(settings.model_dump(mode="json")) == settings
