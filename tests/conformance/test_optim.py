"""Every optimiser keeps these promises."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pilotlight.model.weight import Role, Scaling, Start, weight
from pilotlight.spec import discover
from pilotlight.train.optim import Optim

KINDS = discover(Optim.folder)
pytestmark = pytest.mark.parametrize("kind", KINDS)


class Bowl(nn.Module):
    """Squared distance of a matrix, an output, a table and a vector from targets of their own."""

    def __init__(self, scaling: Scaling | None = None) -> None:
        super().__init__()
        start = Start("normal", 1.0)
        self.matrix = weight(6, 4, start=start, role=Role.MATRIX, scaling=scaling)
        self.output = weight(6, 4, start=start, role=Role.OUTPUT)
        self.table = weight(5, 4, start=start, role=Role.EMBEDDING)
        self.gain = weight(4, start=start, role=Role.VECTOR)
        with torch.no_grad():
            for number, parameter in enumerate(self.parameters()):
                parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)))

    def forward(self) -> torch.Tensor:
        return sum(((parameter - 0.5) ** 2).mean() for parameter in self.parameters())


def _descend(model: Bowl, optimiser: torch.optim.Optimizer, steps: int) -> float:
    for _ in range(steps):
        optimiser.zero_grad(set_to_none=True)
        loss = model()
        loss.backward()
        optimiser.step()
    return float(loss.detach())


def _settings(kind: str, **named) -> Optim:
    return Optim.choose({"kind": kind, "lr": 0.05, "weight_decay": 0.0} | named)


def test_it_descends_a_bowl(kind):
    model = Bowl()
    before = float(model().detach())
    assert _descend(model, _settings(kind).build(model), 600) < before / 10


def test_its_state_is_tensors_by_parameter_and_resumes_bit_for_bit(kind):
    model = Bowl()
    optimiser = _settings(kind).build(model)
    _descend(model, optimiser, 5)
    twin = Bowl()  # a deep copy of a parameter forgets its role
    twin.load_state_dict(model.state_dict())
    other = _settings(kind).build(twin)
    kept = {
        index: {what: value.clone() for what, value in state.items() if value is not None}
        for index, state in optimiser.state_dict()["state"].items()
    }
    assert all(isinstance(value, torch.Tensor) for state in kept.values() for value in state.values())
    other.load_state_dict({"state": kept, "param_groups": other.state_dict()["param_groups"]})
    assert _descend(model, optimiser, 5) == _descend(twin, other, 5)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), twin.parameters(), strict=True))


def test_every_parameter_is_in_one_group_that_keeps_its_peak_rate(kind):
    model = Bowl()
    optimiser = _settings(kind).build(model)
    held = [id(parameter) for group in optimiser.param_groups for parameter in group["params"]]
    assert sorted(held) == sorted(id(parameter) for parameter in model.parameters())
    assert all(group["peak"] == group["lr"] == 0.05 for group in optimiser.param_groups)


def test_multipliers_of_a_parameter_scale_its_rate_and_its_decay(kind):
    model = Bowl(Scaling(lr=0.25, weight_decay=4.0, eps=0.5))
    optimiser = _settings(kind, weight_decay=0.1).build(model)
    group = next(group for group in optimiser.param_groups if group["params"][0] is model.matrix)
    assert group["peak"] == pytest.approx(0.0125)
    assert group["weight_decay"] == pytest.approx(0.4)
    assert "eps" not in group or group["eps"] == pytest.approx(0.5 * _settings(kind).eps)


def test_only_the_named_roles_decay(kind):
    model = Bowl()
    optimiser = _settings(kind, weight_decay=0.1).build(model)
    decays = {id(p): group["weight_decay"] for group in optimiser.param_groups for p in group["params"]}
    named = dict(model.named_parameters())
    assert {name for name in named if decays[id(named[name])] > 0} == {"matrix", "output"}


def test_a_rate_of_zero_changes_nothing(kind):
    model = Bowl()
    optimiser = _settings(kind, weight_decay=0.1).build(model)
    before = [parameter.detach().clone() for parameter in model.parameters()]
    for group in optimiser.param_groups:
        group["lr"] = 0.0
    _descend(model, optimiser, 2)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))


def test_settings_survive_json(kind):
    settings = KINDS[kind]()
    assert Optim.choose(settings.model_dump(mode="json")) == settings
