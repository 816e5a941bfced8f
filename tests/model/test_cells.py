"""LSTM and GRU against their equations, one token after the other."""

import pytest
import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.layer import Rows
from pilotlight.model.mixers.gru import GRU
from pilotlight.model.mixers.lstm import LSTM
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.positions.none_layer import NoPositionLayer
from pilotlight.model.size import measure
from pilotlight.model.weight import initialise

RULES = Parametrisation("completep", width_ratio=1.0, depth_ratio=1.0)
WIDTH = 32


def build(settings):
    layer = settings(head_dim=8).build(WIDTH, RULES)
    initialise(layer, 0)
    return layer


def lstm(layer, hidden):
    bias, size = layer.bias + layer.opening, layer.recurrent.shape[1]
    state, cell, outputs = torch.zeros(len(hidden), size), torch.zeros(len(hidden), size), []
    for time in range(hidden.shape[1]):
        gates = hidden[:, time] @ layer.inputs.T + state @ layer.recurrent.T + bias
        take, keep, candidate, give = gates.chunk(4, dim=1)
        cell = keep.sigmoid() * cell + take.sigmoid() * candidate.tanh()
        state = give.sigmoid() * cell.tanh()
        outputs.append(state)
    return torch.stack(outputs, 1) @ layer.output.T


def gru(layer, hidden):
    bias, size = layer.bias + layer.opening, layer.recurrent.shape[1]
    state, outputs = torch.zeros(len(hidden), size), []
    for time in range(hidden.shape[1]):
        given = (hidden[:, time] @ layer.inputs.T + bias).chunk(3, dim=1)
        held = (state @ layer.recurrent.T).chunk(3, dim=1)
        candidate = torch.tanh(given[2] + (given[0] + held[0]).sigmoid() * held[2])
        keep = (given[1] + held[1]).sigmoid()
        state = (1 - keep) * candidate + keep * state
        outputs.append(state)
    return torch.stack(outputs, 1) @ layer.output.T


KINDS = [pytest.param(LSTM, lstm, id="lstm"), pytest.param(GRU, gru, id="gru")]


@pytest.mark.parametrize(("settings", "equations"), KINDS)
def test_it_is_the_cell_of_its_equations(settings, equations):
    layer, hidden = build(settings), torch.randn(3, 20, WIDTH)
    other = hidden.clone().requires_grad_()
    given = hidden.clone().requires_grad_()
    found, expected = layer(given, NoPositionLayer()), equations(layer, other)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    pull = torch.randn(found.shape)
    (found * pull).sum().backward()
    gradients = {name: parameter.grad.clone() for name, parameter in layer.named_parameters()}
    layer.zero_grad()
    (expected * pull).sum().backward()
    torch.testing.assert_close(given.grad, other.grad, atol=1e-5, rtol=1e-4)
    for name, parameter in layer.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize(("settings", "equations"), KINDS)
def test_gradients_stay_in_the_document(settings, equations):
    layer, hidden = build(settings), torch.randn(2, 12, WIDTH, requires_grad=True)
    documents = torch.tensor([[0] * 5 + [1] * 7, [0] * 3 + [1] * 4 + [2] * 5])
    layer(hidden, NoPositionLayer(), Rows(documents=documents))[:, 6].sum().backward()
    assert hidden.grad.any(-1).nonzero().tolist() == [[0, 5], [0, 6], [1, 3], [1, 4], [1, 5], [1, 6]]


@pytest.mark.parametrize(("settings", "equations"), KINDS)
def test_the_state_goes_on_into_the_first_document_of_the_next_piece_only(settings, equations):
    layer, hidden, position = build(settings), torch.randn(2, 10, WIDTH), NoPositionLayer()
    documents = torch.tensor([[0] * 4 + [1] * 6, [0] * 7 + [1] * 3])
    whole = layer(hidden, position, Rows(documents=documents))
    memory = {}
    first = layer(hidden[:, :4], position, Rows(documents=documents[:, :4]), memory)
    last = layer(hidden[:, 4:], position, Rows(documents=documents, first=4), memory)
    torch.testing.assert_close(torch.cat([first, last], 1), whole, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("kind", "gates", "size"), [("lstm", 4, 72), ("gru", 3, 88)])
def test_a_token_costs_the_products_of_its_matrices(kind, gates, size):
    decoder = Decoder.model_validate({"depth": 2, "width": 128, "mixer": kind})
    products = 2 * (gates * size * (128 + size) + 128 * size + 9 * 128**2) + 50 * 128
    found = measure(decoder, 50, 256)
    assert found.forward_flops_per_token == 2 * products
    assert found.training_flops_per_token == 6 * products


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_memories_at_the_start_lie_between_two_tokens_and_the_setting(kind):
    layer = Decoder.model_validate({"depth": 1, "width": 64, "mixer": {"kind": kind, "memory": 64}}).mixer.build(
        64, RULES
    )
    size = layer.recurrent.shape[1]
    kept = torch.sigmoid(layer.opening[size : 2 * size])
    assert ((kept >= 1 / 2) & (kept <= 1 - 1 / 64)).all()
    assert kept.diff().gt(0).all()
