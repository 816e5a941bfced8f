"""What every norm has to do, over the folder of norms."""

from __future__ import annotations

import pytest
import torch

from pilotlight.model.norms import Norm
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.weight import initialise
from pilotlight.spec import discover

RULES = Parametrisation("completep", width_ratio=1.0, depth_ratio=1.0)
KINDS = discover(Norm.folder)
SIZE = 16
NORMALISING = [kind for kind in KINDS if kind != "none"]
every = pytest.mark.parametrize("kind", KINDS)
normalising = pytest.mark.parametrize("kind", NORMALISING)


def make(kind):
    layer = KINDS[kind]().build(SIZE, RULES)
    initialise(layer, 0)
    return layer


@normalising
def test_vectors_come_out_with_a_root_mean_square_of_1_whatever_their_size(kind):
    layer, hidden = make(kind), torch.randn(3, 5, SIZE)
    normed = layer(hidden)
    torch.testing.assert_close(normed.square().mean(-1), torch.ones(3, 5), atol=1e-3, rtol=0)
    torch.testing.assert_close(layer(100 * hidden), normed, atol=1e-3, rtol=0)


@every
@pytest.mark.parametrize("shape", [(4, SIZE), (2, 3, 4, SIZE)])
def test_its_gradient_is_the_slope_of_its_values(kind, shape):
    layer, hidden = make(kind), torch.randn(shape, requires_grad=True)
    weights, direction = torch.randn(shape), torch.randn(shape)
    (layer(hidden) * weights).sum().backward()
    step = 1e-2
    with torch.no_grad():
        slope = ((layer(hidden + step * direction) - layer(hidden - step * direction)) * weights).sum() / (2 * step)
    torch.testing.assert_close((hidden.grad * direction).sum(), slope, atol=1e-2, rtol=1e-2)


@normalising
def test_gradients_of_its_parameters_are_the_slopes_too(kind):
    layer, hidden = make(kind), torch.randn(6, SIZE)
    weights = torch.randn(6, SIZE)
    (layer(hidden) * weights).sum().backward()
    for parameter in layer.parameters():
        with torch.no_grad():
            parameter[2] += 0.5
            above = (layer(hidden) * weights).sum()
            parameter[2] -= 1.0
            below = (layer(hidden) * weights).sum()
            parameter[2] += 0.5
        torch.testing.assert_close(parameter.grad[2], above - below, atol=1e-3, rtol=1e-3)


@every
def test_bf16_stays_bf16(kind):
    assert make(kind)(torch.randn(2, SIZE).bfloat16()).dtype == torch.bfloat16


def test_only_the_kind_called_none_has_no_parameters():
    assert [kind for kind in KINDS if not list(make(kind).parameters())] == ["none"]
