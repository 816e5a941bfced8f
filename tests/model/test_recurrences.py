import pytest
import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.mixers._forwards import convolve_channels, recur
from pilotlight.model.mixers.gated_convolution_layer import convolve_heads
from pilotlight.model.mixers.linear_layer import read_states
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.positions.none_layer import NoPositionLayer
from pilotlight.model.size import measure
from pilotlight.model.weight import initialise

RULES = Parametrisation("completep", width_ratio=1.0, depth_ratio=1.0)
KINDS = ["gated_convolution", "minimal_recurrence", "linear"]
TIMES = [1, 2, 3, 7, 16, 33, 100]


def drawn(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)


def agree(function, reference, inputs):
    """Check values and the gradients of all inputs against a reference in float64."""
    ours = [item.clone().requires_grad_() for item in inputs]
    theirs = [item.double().requires_grad_() for item in inputs]
    values, expected = function(*ours), reference(*theirs)
    torch.testing.assert_close(values.double(), expected, atol=1e-5, rtol=1e-4)
    pull = drawn(*values.shape, seed=99)
    (values * pull).sum().backward()
    (expected * pull).sum().backward()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad.double(), other.grad, atol=1e-4, rtol=1e-3)


def step_by_step(keep, inputs):
    state, states = torch.zeros_like(inputs[:, 0]), []
    for time in range(inputs.shape[1]):
        state = keep[:, time] * state + inputs[:, time]
        states.append(state)
    return torch.stack(states, 1)


@pytest.mark.parametrize("time", TIMES)
def test_the_parallel_recurrence_is_the_one_taken_step_by_step(time):
    agree(recur, step_by_step, [torch.sigmoid(3 * drawn(2, time, 5)), drawn(2, time, 5, seed=1)])


def test_a_state_that_is_dropped_whole_leaves_nothing_behind():
    keep, inputs = torch.sigmoid(drawn(1, 60, 4)), drawn(1, 60, 4, seed=1)
    keep[:, 30] = 0
    torch.testing.assert_close(recur(keep, inputs)[:, 30:], recur(keep[:, 30:], inputs[:, 30:]))


def test_a_very_long_memory_stays_exact():
    keep, inputs = torch.full((1, 5000, 1), 0.9999), torch.ones(1, 5000, 1)
    exact = (1 - keep.double() ** torch.arange(1, 5001)[None, :, None]) / (1 - keep.double())
    torch.testing.assert_close(recur(keep, inputs).double(), exact, atol=0, rtol=1e-5)


def shifted_sum(inputs, taps):
    """The definition of a causal convolution with taps [reach, *last dimensions]."""
    outputs = torch.zeros_like(inputs)
    for distance in range(min(len(taps), inputs.shape[1])):
        outputs[:, distance:] += taps[distance] * inputs[:, : inputs.shape[1] - distance]
    return outputs


@pytest.mark.parametrize("reach", [1, 2, 16, 40])
@pytest.mark.parametrize("time", TIMES)
def test_convolutions_are_sums_over_the_tokens_before(time, reach):
    agree(convolve_channels, shifted_sum, [drawn(2, time, 6), drawn(reach, 6, seed=1)])
    agree(
        convolve_heads,
        lambda inputs, taps: shifted_sum(inputs, taps.T[..., None]),
        [drawn(2, time, 3, 4), drawn(3, reach, seed=1)],
    )


def read_step_by_step(query, key, value, log_decay):
    batch, time, heads, size = query.shape
    state, outputs = query.new_zeros(batch, heads, size, size), []
    for place in range(time):
        written = key[:, place, :, :, None] * value[:, place, :, None, :]
        state = log_decay[:, place, :, None, None].exp() * state + written
        outputs.append((query[:, place, :, None, :] @ state)[:, :, 0] / size)
    return torch.stack(outputs, 1)


@pytest.mark.parametrize("block", [1, 4, 16, 128])
@pytest.mark.parametrize("time", TIMES)
def test_linear_attention_in_blocks_is_the_recurrence_of_its_states(time, block):
    inputs = [drawn(2, time, 3, 4, seed=seed) for seed in range(3)]
    log_decay = torch.nn.functional.logsigmoid(3 * drawn(2, time, 3, seed=3))
    agree(lambda *given: read_states(*given, block)[0], read_step_by_step, [*inputs, log_decay])


def test_a_head_that_forgets_at_once_reads_its_own_token_only():
    query, key, value = (drawn(1, 50, 2, 4, seed=seed).requires_grad_() for seed in range(3))
    mixed, _ = read_states(query, key, value, torch.full((1, 50, 2), -200.0), 16)
    torch.testing.assert_close(mixed, (query * key).sum(-1, keepdim=True) * value / 4)
    mixed.sum().backward()
    assert all(part.grad.isfinite().all() for part in (query, key, value))


def build(kind, **settings):
    decoder = Decoder.model_validate({"depth": 1, "width": 32, "mixer": {"kind": kind, "head_dim": 8} | settings})
    layer = decoder.mixer.build(32, RULES)
    initialise(layer, 0)
    return layer


def test_the_minimal_recurrence_is_the_cell_of_the_paper():
    layer, hidden = build("minimal_recurrence", expansion=1.0, memory=16), drawn(2, 20, 32)
    state, outputs = torch.zeros(2, 32), []
    for time in range(20):
        gate = torch.sigmoid(hidden[:, time] @ layer.gate.T + layer.bias + layer.opening)
        state = (1 - gate) * state + gate * (hidden[:, time] @ layer.candidate.T)
        outputs.append(state @ layer.output.T)
    torch.testing.assert_close(layer(hidden, NoPositionLayer()), torch.stack(outputs, 1), atol=1e-5, rtol=1e-4)


def test_memories_at_the_start_lie_between_two_tokens_and_the_setting():
    remembered = 1 / torch.sigmoid(build("minimal_recurrence", memory=64.0).opening)
    torch.testing.assert_close(remembered[[0, -1]], torch.tensor([2.0, 64.0]))
    forgotten = 1 - torch.sigmoid(build("linear", memory=64.0).lasting)
    assert ((forgotten <= 1 / 2) & (forgotten >= 1 / 64)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_block_a_row_is_cut_into_changes_nothing(kind):
    layer, hidden = build(kind), drawn(2, 300, 32)
    torch.testing.assert_close(
        layer(hidden, NoPositionLayer())[:, :150], layer(hidden[:, :150], NoPositionLayer()), atol=1e-5, rtol=1e-4
    )


@pytest.mark.parametrize("kind", KINDS)
def test_the_cost_of_a_token_does_not_grow_with_the_row(kind):
    decoder = Decoder.model_validate({"depth": 2, "width": 64, "mixer": {"kind": kind, "head_dim": 16}})
    costs = [measure(decoder, 50, time).forward_flops_per_token for time in (512, 2048)]
    assert costs[0] == costs[1]


def test_matrix_products_inside_are_counted():
    width, depth, time, vocabulary = 64, 2, 512, 50
    around = 9 * depth * width**2 + vocabulary * width
    inside = {
        "minimal_recurrence": 3 * 1.5 * width**2,
        "gated_convolution": 4 * width**2 + 2 * 128 * width,
        "linear": (5 * width + 4) * width + (2 * 64 + 2 * 16) * width,
    }
    for kind, products in inside.items():
        decoder = Decoder.model_validate(
            {"depth": depth, "width": width, "mixer": {"kind": kind, "head_dim": 16}, "position": "none"}
        )
        assert measure(decoder, vocabulary, time).forward_flops_per_token == 2 * (depth * products + around), kind
