"""What every feed-forward has to do, over the folder of feed-forwards."""

from __future__ import annotations

import pytest
import torch

from pilotlight.model.feedforward import FeedForward
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.weight import initialise
from pilotlight.spec import discover

RULES = Parametrisation("completep", width_ratio=1.0, depth_ratio=1.0)
KINDS = discover(FeedForward.folder)
WIDTH = 32
pytestmark = pytest.mark.parametrize("kind", KINDS)


def make(kind):
    layer = KINDS[kind]().build(WIDTH, RULES)
    initialise(layer, 0)
    return layer


def test_each_token_is_changed_by_itself(kind):
    layer, hidden = make(kind), torch.randn(2, 7, WIDTH)
    changed = layer(hidden)
    assert changed.shape == hidden.shape
    torch.testing.assert_close(changed[1, 3], layer(hidden[1:2, 3:4])[0, 0])


def test_it_holds_nine_squares_of_the_width_by_default(kind):
    assert sum(parameter.numel() for parameter in make(kind).parameters()) == 9 * WIDTH**2


def test_it_works_in_bf16_close_to_float32(kind):
    layer, hidden = make(kind), torch.randn(2, 7, WIDTH)
    rounded = layer(hidden.bfloat16())
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), layer(hidden), atol=0.05, rtol=0.05)


def test_every_parameter_gets_a_gradient(kind):
    layer = make(kind)
    layer(torch.randn(2, 9, WIDTH)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in layer.parameters())
