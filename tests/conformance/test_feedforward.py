"""What every feed-forward has to do, over the folder of feed-forwards."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from pilotlight.model.feedforward import FeedForward
from pilotlight.model.layer import Rows
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


def test_a_token_meets_nine_squares_of_the_width_by_default(kind):
    """A router, where there is one, adds less than 5 %."""
    layer = make(kind)
    met = sum(parameter.numel() for parameter in layer.parameters()) - layer.idle
    assert 9 * WIDTH**2 <= met < 1.05 * 9 * WIDTH**2
    with torch.device("meta"):
        on_paper, hidden = KINDS[kind]().build(WIDTH, RULES), torch.zeros(2, 16, WIDTH)
    with FlopCounterMode(display=False) as counter:
        on_paper(hidden)
    assert counter.get_total_flops() == 2 * met * 2 * 16


def test_a_row_is_changed_alike_in_every_batch_and_so_is_its_penalty(kind):
    layer, hidden = make(kind), torch.randn(3, 7, WIDTH)
    whole, cost = layer(hidden, Rows(training=True)), layer.penalty
    part, part_cost = layer(hidden[1:2], Rows(training=True)), layer.penalty
    torch.testing.assert_close(whole[1:2], part)
    assert (cost is None) == (part_cost is None)
    if cost is not None:
        assert cost.shape == (3, 7)
        torch.testing.assert_close(cost[1:2], part_cost)
    layer(hidden)
    assert layer.penalty is None


def test_it_works_in_bf16_close_to_float32(kind):
    layer, hidden = make(kind), torch.randn(2, 7, WIDTH).bfloat16()
    rounded = layer(hidden)
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), layer(hidden.float()), atol=0.05, rtol=0.05)


def test_every_parameter_gets_a_gradient(kind):
    layer = make(kind)
    layer(torch.randn(2, 9, WIDTH)).square().sum().backward()
    assert all(parameter.grad is not None and parameter.grad.any() for parameter in layer.parameters())


def test_the_matrix_that_writes_into_the_stream_is_called_down(kind):
    """Starts that treat it in a way of its own find it by this name."""
    layer = make(kind)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            if name.rpartition(".")[2] == "down":
                parameter.zero_()
    assert not layer(torch.randn(1, 5, WIDTH)).any()


@pytest.mark.slow
# torch looks at the gradient of an input while it compiles, and warns itself about it.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
def test_compiled_it_agrees_with_itself(kind):
    torch.compiler.reset()
    layer, hidden = make(kind), torch.randn(2, 7, WIDTH)
    expected, cost = layer(hidden, Rows(training=True)), layer.penalty
    found = torch.compile(layer, dynamic=False)(hidden, Rows(training=True))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    if cost is not None:
        torch.testing.assert_close(layer.penalty, cost)
    found.sum().backward()
