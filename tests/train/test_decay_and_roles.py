"""Decay rules and settings by role, worked out by hand and over widths."""

from __future__ import annotations

import pytest
import torch
from optimiser_examples import DECAY, RATE, Tower, adamw_by_hand, gradients_of, same, two_steps
from training_examples import ONE, plan_of

from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.weight import Role, role_of
from pilotlight.plan_file import override
from pilotlight.spec import discover
from pilotlight.train.loop import train
from pilotlight.train.optim import Optim

KINDS = sorted(discover(Optim.folder))
CAUTIOUS = [kind for kind in KINDS if not kind.startswith("schedule_free")]


def _one_step(kind: str, factor: float = 1.0, **settings) -> tuple[Tower, dict[str, torch.Tensor]]:
    model = Tower()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimiser = Optim.choose({"kind": kind, "lr": RATE, "decayed": list(Role)} | settings).build(model)
    for name, parameter in model.named_parameters():
        parameter.grad = gradients_of(model, 1)[name]
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor
    optimiser.step()
    return model, before


@pytest.mark.parametrize("kind", KINDS)
def test_decoupled_decay_takes_rate_times_decay_of_a_weight_at_a_step_of_every_optimiser(kind):
    plain, before = _one_step(kind, weight_decay=0.0)
    decayed, _ = _one_step(kind, weight_decay=DECAY, decay_rule="decoupled")
    same(decayed, {
        name: dict(plain.named_parameters())[name].detach() - RATE * DECAY * w for name, w in before.items()
    })  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_independent_decay_takes_the_same_share_whatever_the_peak_and_follows_the_schedule(kind):
    for rate in (RATE, 10 * RATE):
        plain, before = _one_step(kind, 0.5, weight_decay=0.0, lr=rate)
        decayed, _ = _one_step(kind, 0.5, weight_decay=0.01, lr=rate, decay_rule="independent")
        same(decayed, {
            name: dict(plain.named_parameters())[name].detach() - 0.5 * 0.01 * w for name, w in before.items()
        }, tolerance=1e-5)  # fmt: skip


def test_independent_decay_takes_the_same_share_at_every_width():
    wide = Tower(Parametrisation("completep", 8.0, 1.0).scaling(Role.MATRIX))
    settings = {"kind": "adamw", "weight_decay": 0.01, "decay_rule": "independent"}
    groups = Optim.choose(settings).build(wide).param_groups
    assert [g["peak"] * g["weight_decay"] for g in groups if g["weight_decay"]] == pytest.approx([0.01, 0.01])


def test_an_independent_decay_that_was_meant_to_be_times_the_rate_is_refused():
    with pytest.raises(ValueError, match=r"expected at most 0\.02, such as 0\.0003"):
        Optim.choose({"kind": "adamw", "decay_rule": "independent"})


@pytest.mark.parametrize("kind", KINDS)
def test_decay_in_the_gradient_is_the_same_as_a_gradient_that_holds_it(kind):
    model = Tower()
    optimiser = Optim.choose({"kind": kind, "lr": RATE, "weight_decay": 0.0}).build(model)
    for step in (1, 2):
        for name, parameter in model.named_parameters():
            parameter.grad = gradients_of(model, step)[name] + DECAY * parameter.detach()
        optimiser.step()
    found, _, _ = two_steps(kind=kind, decay_rule="gradient")
    same(found, {name: parameter.detach() for name, parameter in model.named_parameters()}, tolerance=1e-5)


@pytest.mark.parametrize("kind", CAUTIOUS)
def test_cautious_decay_takes_only_of_weights_that_the_update_makes_smaller(kind):
    plain, before = _one_step(kind, weight_decay=0.0)
    decayed, _ = _one_step(kind, weight_decay=DECAY, decay_rule="cautious")
    expected, inwards = {}, 0.0
    for name, w in before.items():
        moved = dict(plain.named_parameters())[name].detach()
        towards_zero = ((w - moved) * w > 0).float()
        expected[name] = moved - RATE * DECAY * w * towards_zero
        inwards += float(towards_zero.mean()) / len(before)
    same(decayed, expected)
    assert 0.0 < inwards < 0.9


def test_a_role_has_its_own_rate_and_decay():
    roles = {"embedding": {"lr_factor": 0.3, "weight_decay": 0.2}, "matrix": {"weight_decay": 0.0},
             "vector": {"lr_factor": 0.0}}  # fmt: skip
    model = Tower()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimiser = Optim.choose({"kind": "adamw", "lr": RATE, "weight_decay": DECAY, "roles": roles}).build(model)
    found = {id(p): (g["peak"], g["weight_decay"]) for g in optimiser.param_groups for p in g["params"]}
    expected = {Role.EMBEDDING: (0.3 * RATE, 0.2), Role.MATRIX: (RATE, 0.0), Role.VECTOR: (0.0, 0.0),
                Role.OUTPUT: (RATE, DECAY)}  # fmt: skip
    for parameter in model.parameters():
        assert found[id(parameter)] == pytest.approx(expected[role_of(parameter)])
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    assert torch.equal(model.gain, before["gain"])
    table = before["table"]
    same(model, {"table": table * (1 - 0.3 * RATE * 0.2) - 0.3 * RATE,
                 "tall": adamw_by_hand(before["tall"], [torch.ones(6, 4)], (0.9, 0.95), decay=0.0)})  # fmt: skip


def test_a_factor_of_a_role_does_not_change_how_muons_steps_scale_with_the_width():
    rules = Parametrisation("completep", 4.0, 1.0).scaling(Role.MATRIX)
    moved = []
    for factor in (1.0, 0.25):
        model = Tower(rules)
        before = model.wide.detach().clone()
        roles = {"matrix": {"lr_factor": factor}}
        optimiser = Optim.choose({"kind": "muon", "lr": RATE, "weight_decay": 0.0, "roles": roles}).build(model)
        model.wide.grad = gradients_of(model, 1)["wide"]
        optimiser.step()
        moved.append(model.wide.detach() - before)
    torch.testing.assert_close(moved[1], 0.25 * moved[0], atol=1e-6, rtol=1e-4)


def test_settings_by_role_and_rules_are_one_line_of_a_variant_and_leave_old_identities_alone():
    plan = plan_of(optim={"kind": "adamw"})
    changed = override(plan, "train.optim.roles.embedding.lr_factor", "x0.3")
    assert changed.train.optim.roles.embedding.lr_factor == pytest.approx(0.3)
    assert changed.identity() != plan.identity()
    known = set(plan.identity()["train"]["optim"])
    assert known == {"kind", "lr", "weight_decay", "decayed", "betas", "eps"}


def test_a_training_with_cautious_decay_and_roles_runs_and_differs(tokens, tmp_path):
    own = {"kind": "adamw", "weight_decay": 1.0}
    runs = [
        train(plan_of(steps=4, optim=own | more), ONE, tokens, tmp_path / name)
        for name, more in (("plain", {}), ("cautious", {"decay_rule": "cautious"}),
                           ("roles", {"roles": {"embedding": {"lr_factor": 0.5}}}))
    ]  # fmt: skip
    assert len({run.facts.metrics["bits_per_byte"] for run in runs}) == 3
