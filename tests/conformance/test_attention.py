"""What every attention has to do, over the folder of attentions."""

from __future__ import annotations

import pytest
import torch

from pilotlight.model.attention import Attention
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.positions.none_layer import NoPositionLayer
from pilotlight.model.weight import initialise
from pilotlight.spec import discover

RULES = Parametrisation("completep", width_ratio=1.0, depth_ratio=1.0)
KINDS = discover(Attention.folder)
pytestmark = pytest.mark.parametrize("kind", KINDS)


def make(kind):
    settings = KINDS[kind](head_dim=8)
    width = 4 * settings.width_step
    layer = settings.build(width, RULES)
    initialise(layer, 0)
    return layer, width


@pytest.mark.parametrize("time", [1, 2, 33, 64, 130])
def test_it_keeps_the_shape_and_looks_at_no_later_token(kind, time):
    layer, width = make(kind)
    hidden = torch.randn(2, time, width, requires_grad=True)
    mixed = layer(hidden, NoPositionLayer())
    assert mixed.shape == hidden.shape
    mixed[:, time // 2].square().sum().backward()
    assert not hidden.grad[:, time // 2 + 1 :].any()
    assert hidden.grad[:, : time // 2 + 1].any(-1).all()


def test_rows_do_not_see_each_other(kind):
    layer, width = make(kind)
    hidden = torch.randn(3, 20, width)
    torch.testing.assert_close(layer(hidden, NoPositionLayer())[1:2], layer(hidden[1:2], NoPositionLayer()))


def test_it_works_in_bf16_close_to_float32(kind):
    layer, width = make(kind)
    hidden = torch.randn(2, 24, width)
    rounded = layer(hidden.bfloat16(), NoPositionLayer())
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), layer(hidden, NoPositionLayer()), atol=0.05, rtol=0.05)


def test_every_parameter_gets_a_gradient(kind):
    layer, width = make(kind)
    layer(torch.randn(2, 9, width), NoPositionLayer()).square().sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.any(), name
