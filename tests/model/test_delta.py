"""The gated delta rule in blocks against one token after the other."""

import pytest
import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.layer import Rows
from pilotlight.model.mixers.delta import Delta
from pilotlight.model.mixers.delta_layer import DeltaSteps, read_corrected, unit
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.positions.none_layer import NoPositionLayer
from pilotlight.model.size import measure
from pilotlight.model.weight import initialise

RULES = Parametrisation("completep", width_ratio=1.0, depth_ratio=1.0)


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)


def steps_of(time, *, heads=3, size=4, value_size=5, slowest=3.0):
    query, key = (unit(drawn(2, time, heads, size, seed=seed)) for seed in range(2))
    value = drawn(2, time, heads, value_size, seed=2)
    log_decay = torch.nn.functional.logsigmoid(drawn(2, time, heads, seed=3) + slowest)
    return DeltaSteps(query, key, value, log_decay, torch.sigmoid(2 * drawn(2, time, heads, seed=4)))


def one_by_one(steps, state=None, documents=None):
    """The rule as it is written: fade, read under the key, put the value in its place, read by the query."""
    state = steps.empty().to(steps.query.dtype) if state is None else state
    outputs = []
    for time in range(steps.query.shape[1]):
        query, key, value, log_decay, rate = (part[:, time] for part in steps)
        if documents is not None and time:
            state = state * (documents[:, time] == documents[:, time - 1])[:, None, None, None]
        state = state * log_decay.exp()[..., None, None]
        found = (key[..., None, :] @ state).squeeze(-2)
        state = state + rate[..., None, None] * key[..., :, None] * (value - found)[..., None, :]
        outputs.append((query[..., None, :] @ state).squeeze(-2))
    return torch.stack(outputs, 1), state


@pytest.mark.parametrize("block", [1, 4, 16, 128])
@pytest.mark.parametrize("time", [1, 2, 7, 33, 100])
def test_blocks_give_the_values_and_gradients_of_single_steps(time, block):
    ours = DeltaSteps(*(part.clone().requires_grad_() for part in steps_of(time)))
    theirs = DeltaSteps(*(part.double().requires_grad_() for part in steps_of(time)))
    read, state = read_corrected(ours, block)
    expected, _ = one_by_one(theirs)
    assert state is None
    torch.testing.assert_close(read.double(), expected, atol=1e-5, rtol=1e-4)
    pull = drawn(*read.shape, seed=9)
    (read * pull).sum().backward()
    (expected * pull).sum().backward()
    for name, one, other in zip(DeltaSteps._fields, ours, theirs, strict=True):
        assert one.grad is not None, name
        torch.testing.assert_close(one.grad.double(), other.grad, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("block", [4, 16, 128])
def test_a_state_goes_in_and_comes_out(block):
    steps, start = steps_of(40), drawn(2, 3, 4, 5, seed=7)
    read, state = read_corrected(steps, block, state=start)
    expected, after = one_by_one(steps, start)
    torch.testing.assert_close(read, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(state, after, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("block", [4, 16, 128])
def test_nothing_is_left_of_the_document_before(block):
    steps = steps_of(40, slowest=8.0)
    documents = torch.stack([torch.arange(40) // 11, torch.arange(40) // 39])
    read, state = read_corrected(steps, block, documents, steps.empty())
    expected, after = one_by_one(steps, documents=documents)
    torch.testing.assert_close(read, expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(state, after, atol=1e-5, rtol=1e-4)


def test_the_last_value_under_a_key_is_what_is_found_there():
    """What tells the delta rule from a sum: a value that is written again takes the place of the one before."""
    key, value = unit(drawn(1, 1, 1, 8)).expand(1, 30, 1, 8), drawn(1, 30, 1, 6, seed=1)
    kept = torch.zeros(1, 30, 1)
    read, _ = read_corrected(DeltaSteps(key, key, value, kept, torch.ones(1, 30, 1)), 16)
    torch.testing.assert_close(read, value, atol=1e-5, rtol=1e-4)


def test_states_stay_bounded_over_long_rows_without_fading():
    steps = steps_of(3000)
    steps = steps._replace(log_decay=torch.zeros_like(steps.log_decay))
    read, _ = read_corrected(steps, 64)
    assert read.isfinite().all()
    assert read[:, -100:].norm(dim=-1).max() < 10 * steps.value.norm(dim=-1).max()


def test_the_layer_is_the_one_of_the_paper():
    """Short convolutions and SiLU, unit queries and keys, the rule, a norm per head and a gate, as equations."""
    layer = Delta(head_dim=8).build(16, RULES)
    initialise(layer, 0)
    hidden = drawn(1, 12, 16)
    parts = []
    for number, taken in enumerate((layer.query, layer.key, layer.value)):
        inputs, taps = hidden @ taken.T, layer.short[:, 16 * number : 16 * (number + 1)]
        mixed = sum(taps[d] * torch.nn.functional.pad(inputs, (0, 0, d, 0))[:, :12] for d in range(4))
        parts.append((mixed * mixed.sigmoid()).view(1, 12, 2, 8))
    query, key = (part / part.norm(dim=-1, keepdim=True) for part in parts[:2])
    decay = torch.sigmoid(hidden @ layer.decay.T + layer.bias + layer.lasting)
    read, _ = one_by_one(DeltaSteps(query, key, parts[2], decay.log(), torch.sigmoid(hidden @ layer.rate.T)))
    normed = (read * torch.rsqrt(read.square().mean(-1, keepdim=True) + 1e-6)).flatten(2)
    gate = hidden @ layer.gate.T
    expected = (normed * gate * gate.sigmoid()) @ layer.output.T
    torch.testing.assert_close(layer(hidden, NoPositionLayer(), Rows()), expected, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(("time", "products"), [(64, 4 * 64), (128, 5 * 64 + 3 * 32)])
def test_flops_equal_a_count_by_hand(time, products):
    width, size = 64, 32
    decoder = Decoder(depth=2, width=width, mixer=Delta(head_dim=size))
    inside = (5 + 9) * width**2 + 2 * width * width // size + products * width
    assert measure(decoder, 50, time).forward_flops_per_token == 2 * (2 * inside + 50 * width)
