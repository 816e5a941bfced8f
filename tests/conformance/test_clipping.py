"""Every way to bound a gradient keeps these promises."""

from __future__ import annotations

import json
import math
import random

import pytest
import torch
from torch import nn

from pilotlight.model.weight import Role, Start, weight
from pilotlight.spec import discover
from pilotlight.train.clipping import Clipper, Clipping

KINDS = discover(Clipping.folder)
pytestmark = pytest.mark.parametrize("kind", KINDS)


def model_with_gradients(seed: int, size: float) -> nn.ParameterList:
    """Return parameters of several roles and shapes whose gradients have a norm of ``size`` together."""
    draw = torch.Generator().manual_seed(seed)
    start = Start("normal", 1.0)
    found = nn.ParameterList([
        weight(6, 4, start=start, role=Role.MATRIX), weight(2, 3, 5, start=start, role=Role.MATRIX),
        weight(5, 4, start=start, role=Role.EMBEDDING), weight(4, start=start, role=Role.VECTOR),
    ])  # fmt: skip
    for number, parameter in enumerate(found):
        with torch.no_grad():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)))
        parameter.grad = torch.randn(parameter.shape, generator=draw)
    norm = float(torch.nn.utils.get_total_norm([parameter.grad for parameter in found]))
    for parameter in found:
        parameter.grad.mul_(size / norm)
    return found


def clipped(clipper: Clipper, seed: int, size: float) -> list[torch.Tensor]:
    """Return the gradients of a step after clipping."""
    model = model_with_gradients(seed, size)
    clipper.clip(list(model), size)
    return [parameter.grad for parameter in model]


def _sizes(steps: int) -> list[float]:
    draw = random.Random(5)
    return [math.exp(draw.gauss(-1.0, 0.2)) for _ in range(steps)]


def _warmed(kind: str, steps: int = 60) -> Clipper:
    clipper = Clipping.choose(kind).build()
    for step, size in enumerate(_sizes(steps)):
        clipped(clipper, step, size)
    return clipper


def test_a_gradient_a_thousand_times_the_usual_is_bounded_without_turning_a_sign(kind):
    before = [parameter.grad for parameter in model_with_gradients(99, 400.0)]
    after = clipped(_warmed(kind), 99, 400.0)
    assert float(torch.nn.utils.get_total_norm(after)) < 40.0
    assert all(bool((new * old >= 0).all()) and bool((new.abs() <= old.abs()).all()) 
               for new, old in zip(after, before, strict=True))  # fmt: skip


def test_a_gradient_far_below_the_usual_is_left_alone_bit_for_bit(kind):
    before = [parameter.grad for parameter in model_with_gradients(99, 0.003)]
    after = clipped(_warmed(kind), 99, 0.003)
    assert all(torch.equal(new, old) for new, old in zip(after, before, strict=True))


def test_what_it_remembers_goes_through_json_and_on_bit_for_bit(kind):
    for steps in (0, 7, 60):
        whole = _warmed(kind, steps)
        again = _warmed(kind, 3)  # restoring replaces what is there
        again.restore(json.loads(json.dumps(whole.state(), allow_nan=False)))
        for step, size in enumerate(_sizes(40)):
            one, two = (clipped(clipper, step, 3 * size) for clipper in (whole, again))
            assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
        assert whole.state() == again.state()


def test_its_state_is_a_copy_that_later_steps_do_not_change(kind):
    clipper = _warmed(kind, 7)
    state = clipper.state()
    text = json.dumps(state)
    clipped(clipper, 8, 2.0)
    assert json.dumps(state) == text


def test_a_parameter_without_a_gradient_and_a_gradient_of_zero_stay_as_they_are(kind):
    model = model_with_gradients(1, 1.0)
    model[0].grad = None
    model[1].grad.zero_()
    _warmed(kind).clip(list(model), 1e3)
    assert model[0].grad is None
    assert torch.equal(model[1].grad, torch.zeros_like(model[1]))
    assert all(bool(parameter.grad.isfinite().all()) for parameter in list(model)[1:])


def test_settings_survive_json(kind):
    settings = KINDS[kind]()
    assert Clipping.choose(settings.model_dump(mode="json")) == settings
