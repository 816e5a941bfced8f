"""Every training objective keeps these promises."""

from __future__ import annotations

import pytest
import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.weight import initialise
from pilotlight.spec import discover
from pilotlight.train.objectives import Objective

pytestmark = pytest.mark.parametrize("kind", discover(Objective.folder))

CONTEXT = 12


@pytest.fixture(scope="module")
def model():
    model = Decoder(depth=1, width=64).build(50)
    initialise(model, 0)
    return model


@pytest.fixture(scope="module")
def rows():
    return torch.randint(0, 50, (3, CONTEXT + 1), generator=torch.Generator().manual_seed(0))


def test_it_gives_finite_float32_nats_for_every_position(kind, model, rows):
    nats = Objective.choose(kind).build()(model, rows)
    assert nats.shape == (3, CONTEXT)
    assert nats.dtype == torch.float32
    assert torch.isfinite(nats).all()
    assert (nats >= 0).all()


def test_it_has_a_gradient_for_every_parameter(kind, model, rows):
    model.zero_grad()
    Objective.choose(kind).build()(model, rows).mean().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_it_draws_nothing_and_repeats_itself(kind, model, rows):
    losses = Objective.choose(kind).build()
    before = torch.get_rng_state()
    assert torch.equal(losses(model, rows), losses(model, rows))
    assert torch.equal(before, torch.get_rng_state())


def test_a_row_does_not_depend_on_the_rows_beside_it(kind, model, rows):
    losses = Objective.choose(kind).build()
    assert torch.allclose(losses(model, rows)[:1], losses(model, rows[:1]), atol=1e-5)


def test_an_untrained_model_is_as_good_as_guessing(kind, model, rows):
    nats = Objective.choose(kind).build()(model, rows).mean().item()
    assert nats == pytest.approx(torch.tensor(50.0).log().item(), rel=0.1)
