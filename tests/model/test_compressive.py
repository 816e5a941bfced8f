"""Near attention and the compressed memory against their definitions, token by token."""

import pytest
import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.layer import Rows
from pilotlight.model.mixers.compressive import Compressive
from pilotlight.model.mixers.delta_layer import unit
from pilotlight.model.mixers.window import Window
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.positions.none_layer import NoPositionLayer
from pilotlight.model.positions.rotary_layer import RotaryLayer
from pilotlight.model.size import measure
from pilotlight.model.weight import initialise

RULES = Parametrisation("completep", width_ratio=1.0, depth_ratio=1.0)
WIDTH, SIZE, HEADS, WINDOW = 32, 8, 4, 10


def build(**settings):
    layer = Compressive(head_dim=SIZE, window=WINDOW, block=4, **settings).build(WIDTH, RULES)
    initialise(layer, 0)
    with torch.no_grad():
        layer.gate.copy_(torch.tensor([-1.0, 0.0, 1.0, 3.0]))
    return layer


def unit_size(heads):
    return heads * torch.rsqrt(heads.square().mean(-1, keepdim=True) + 1e-6)


def by_token(layer, hidden, update):
    """The definition, for one row without positions: the memory is written as each token leaves the window."""
    query, key, value = ((hidden @ part.T).view(-1, HEADS, SIZE) for part in (layer.query, layer.key, layer.value))
    query, key = unit_size(query), unit_size(key)
    outputs = []
    for head in range(HEADS):
        state, total, share = torch.zeros(SIZE, SIZE), torch.zeros(SIZE), torch.sigmoid(layer.gate[head])
        for time in range(len(hidden)):
            near = slice(max(0, time - WINDOW + 1), time + 1)
            mixed = (key[near, head] @ query[time, head] / SIZE**0.5).softmax(0) @ value[near, head]
            old = time - WINDOW
            if old >= 0 and update == "delta":
                under = unit(torch.nn.functional.silu(key[old, head]))
                rate = torch.sigmoid(hidden[old] @ layer.rate[head])
                state = state + rate * torch.outer(under, value[old, head] - under @ state)
                mixed = mixed + share * (unit(torch.nn.functional.silu(query[time, head])) @ state - mixed)
            elif old >= 0:
                under, asked = (torch.nn.functional.elu(part) + 1 for part in (key[old, head], query[time, head]))
                state, total = state + torch.outer(under, value[old, head]), total + under
                mixed = mixed + share * (asked @ state / (asked @ total) - mixed)
            outputs.append(mixed)
    return torch.stack(outputs).view(HEADS, len(hidden), SIZE).transpose(0, 1).flatten(1) @ layer.output.T


@pytest.mark.parametrize("update", ["delta", "sum"])
def test_it_is_what_its_definition_says(update):
    layer, hidden = build(update=update), torch.randn(1, 37, WIDTH)
    found = layer(hidden, NoPositionLayer())[0]
    torch.testing.assert_close(found, by_token(layer, hidden[0], update), atol=1e-5, rtol=1e-4)


def test_a_row_within_the_window_is_window_attention():
    layer, window = build(), Window(head_dim=SIZE, window=WINDOW).build(WIDTH, RULES)
    initialise(window, 0)
    hidden, position = torch.randn(2, WINDOW, WIDTH), RotaryLayer(SIZE, 10_000.0)
    torch.testing.assert_close(layer(hidden, position), window(hidden, position))


@pytest.mark.parametrize("update", ["delta", "sum"])
def test_a_token_far_back_is_still_seen_but_not_from_another_document(update):
    layer, hidden = build(update=update), torch.randn(1, 60, WIDTH, requires_grad=True)
    layer(hidden, RotaryLayer(SIZE, 10_000.0))[0, 59].sum().backward()
    assert hidden.grad[0].any(-1).all()
    hidden.grad = None
    documents = (torch.arange(60) >= 20).long()[None]
    layer(hidden, RotaryLayer(SIZE, 10_000.0), Rows(documents=documents))[0, 59].sum().backward()
    assert not hidden.grad[0, :20].any()
    assert hidden.grad[0, 20:].any(-1).all()


def test_the_memory_does_not_use_the_position():
    layer, hidden = build(), torch.randn(1, 40, WIDTH)
    with torch.no_grad():
        layer.gate.fill_(100.0)
    turned, plain = layer(hidden, RotaryLayer(SIZE, 10_000.0)), layer(hidden, NoPositionLayer())
    torch.testing.assert_close(turned[:, WINDOW:], plain[:, WINDOW:])
    assert not torch.allclose(turned[:, :WINDOW], plain[:, :WINDOW])


@pytest.mark.parametrize("update", ["delta", "sum"])
def test_a_text_in_pieces_is_the_whole_text(update):
    layer, hidden, position, memory = build(update=update), torch.randn(2, 45, WIDTH), RotaryLayer(SIZE, 10_000.0), {}
    parts, first = [], 0
    for piece in hidden.split([4, 9, 1, 1, 25, 1, 4], dim=1):
        parts.append(layer(piece, position, Rows(first=first), memory))
        first += piece.shape[1]
    torch.testing.assert_close(torch.cat(parts, 1), layer(hidden, position), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("update", "products"), [("delta", 5 * 16 + 3 * 32), ("sum", 16 + (16 + 2 * 32) * 33 / 32)])
def test_the_memory_costs_what_its_documentation_says(update, products):
    width, size, window, time = 64, 32, 64, 128
    near, both = (
        measure(Decoder.model_validate({"depth": 1, "width": width, "mixer": mixer}), 50, time).forward_flops_per_token
        for mixer in (
            {"kind": "window", "head_dim": size, "window": window},
            {"kind": "compressive", "head_dim": size, "window": window, "update": update, "block": 16},
        )
    )
    rates = width * width // size if update == "delta" else 0
    assert both - near == pytest.approx(2 * (rates + (1 - window / time) * products * width))
