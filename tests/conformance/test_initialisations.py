"""What every initialisation has to do, over the folder of initialisations."""

from __future__ import annotations

import pytest
import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.initialisations import INTO_STREAM, Initialisation, Place
from pilotlight.model.layer import Rows
from pilotlight.model.mixers import Mixer
from pilotlight.model.parametrisation import Parametrisation, Role, Start
from pilotlight.model.positions.none_layer import NoPositionLayer
from pilotlight.model.weight import initialise, role_of
from pilotlight.spec import discover

KINDS = discover(Initialisation.folder)
every = pytest.mark.parametrize("kind", KINDS)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def make(kind, seed=0, depth=2, **settings):
    decoder = Decoder.model_validate({
        "depth": depth, "width": 64, "mixer": {"kind": "grouped", "head_dim": 16},
        "initialisation": {"kind": kind} | settings,
    })  # fmt: skip
    model = decoder.build(40)
    initialise(model, seed)
    return model


@every
@pytest.mark.parametrize("shape", [(96, 64), (64, 96), (3, 64, 80)])
def test_what_is_drawn_has_mean_0_and_variance_1_and_follows_the_generator(kind, shape):
    drawn = KINDS[kind]().draw(shape, generator())
    assert drawn.shape == shape
    assert drawn.dtype == torch.float32
    assert float(drawn.mean()) == pytest.approx(0.0, abs=0.06)
    assert float(drawn.square().mean()) == pytest.approx(1.0, abs=0.05)
    assert torch.equal(drawn, KINDS[kind]().draw(shape, generator()))
    assert not torch.equal(drawn, KINDS[kind]().draw(shape, generator(1)))


@every
def test_a_model_starts_at_the_loss_of_guessing_with_a_gradient_for_all_but_what_steers_nothing_yet(kind):
    model = make(kind)
    ids = torch.randint(40, (2, 20), generator=generator())
    losses = model.losses(ids, ids.roll(1, 1))
    assert float(losses.detach().mean()) == pytest.approx(torch.tensor(40.0).log().item(), abs=1.0)
    losses.mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in model.parameters())
    assert all(parameter.grad.any() for parameter in model.parameters() if role_of(parameter) is Role.MATRIX)


@every
def test_values_are_addressed_by_name_and_not_by_what_else_is_there(kind):
    one, other = dict(make(kind).named_parameters()), dict(make(kind, depth=3).named_parameters())
    name = "blocks.1.mixer.query"
    assert torch.equal(one[name], other[name])
    assert not torch.equal(one[name], dict(make(kind, seed=1).named_parameters())[name])


@every
def test_gains_stay_1(kind):
    for name, parameter in make(kind).named_parameters():
        if role_of(parameter) is Role.VECTOR:
            assert torch.equal(parameter, torch.ones_like(parameter)), name


@every
def test_outputs_smaller_by_depth_are_the_plain_ones_divided(kind):
    plain, small = make(kind, depth=8), make(kind, depth=8, output="depth")
    for (name, one), other in zip(plain.named_parameters(), small.parameters(), strict=True):
        factor = 4.0 if name.rpartition(".")[2] in INTO_STREAM else 1.0
        torch.testing.assert_close(one / factor, other)


@every
def test_outputs_of_0_make_every_block_the_identity(kind):
    model = make(kind, output="zero")
    hidden = torch.randn(2, 5, 64, generator=generator())
    assert torch.equal(model.blocks[1](hidden, model.position), hidden)
    assert model.blocks[1].mixer.value.any()


@every
def test_one_deviation_for_all_and_by_both_sides(kind):
    shape = (96, 32)
    place = Place("blocks.0.feedforward.gate", shape, 4)
    declared = Start("normal", 32**-0.5)
    one = KINDS[kind](std=0.02).start(declared, Role.MATRIX, place)
    both = KINDS[kind](fan="average").start(declared, Role.MATRIX, place)
    plain = KINDS[kind](fan="inputs").start(declared, Role.MATRIX, place)
    assert (one.std, plain.std) == (0.02, declared.std)
    assert both.std == pytest.approx((2 / (32 + 96)) ** 0.5)


@pytest.mark.parametrize("mixer", discover(Mixer.folder))
def test_the_matrices_through_which_a_mixer_writes_into_the_stream_are_called_output(mixer):
    settings = discover(Mixer.folder)[mixer](head_dim=8)
    width = 2 * settings.width_step
    layer = settings.build(width, Parametrisation("completep", 1.0, 1.0))
    initialise(layer, 0)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if name.rpartition(".")[2] in INTO_STREAM:
                parameter.zero_()
    assert not layer(torch.randn(1, 6, width), NoPositionLayer(), Rows()).any()
