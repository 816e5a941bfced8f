import pytest
import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.layer import Rows
from pilotlight.model.mixers.grouped import Grouped
from pilotlight.model.mixers.window import Window
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.positions.rotary_layer import RotaryLayer
from pilotlight.model.size import measure
from pilotlight.model.weight import initialise

RULES = Parametrisation("completep", width_ratio=1.0, depth_ratio=1.0)


def build(settings, width=32):
    layer = settings.build(width, RULES)
    initialise(layer, 0)
    return layer


def test_a_row_within_the_window_is_full_attention():
    window, full = build(Window(head_dim=8, window=40)), build(Grouped(head_dim=8))
    hidden, position = torch.randn(2, 40, 32), RotaryLayer(8, 10_000.0)
    torch.testing.assert_close(window(hidden, position), full(hidden, position))


@pytest.mark.parametrize(("causal", "end"), [(True, 71), (False, 90)])
def test_a_token_sees_the_window_and_nothing_outside_it(causal, end):
    layer = build(Window(head_dim=8, window=20, queries_per_kv=2))
    hidden = torch.randn(1, 90, 32, requires_grad=True)
    layer(hidden, RotaryLayer(8, 10_000.0), Rows(causal=causal))[0, 70].square().sum().backward()
    seen = hidden.grad[0].any(-1)
    assert seen.nonzero().flatten().tolist() == list(range(51, end))


def test_no_more_than_the_window_is_remembered():
    layer, position, memory = build(Window(head_dim=8, window=20)), RotaryLayer(8, 10_000.0), {}
    for first in range(0, 60, 15):
        layer(torch.randn(1, 15, 32), position, Rows(first=first), memory)
    assert {name: held.shape for name, held in memory.items()} == {"key": (1, 19, 4, 8), "value": (1, 19, 4, 8)}


def test_the_cost_of_a_token_hardly_grows_with_the_row():
    decoder = Decoder(depth=1, width=64, mixer=Window(head_dim=16, window=32))
    short, long = (measure(decoder, 50, time).forward_flops_per_token for time in (128, 512))
    around = 2 * (13 * 64**2 + 50 * 64)
    # A query meets its band, of which a row has at most 32, and the window before it, in 2 products.
    assert short < long < around + 2 * (2 * (32 + 32) * 64)
    assert long < 1.1 * short
