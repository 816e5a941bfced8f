"""What every mixer has to do, over the folder of mixers."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as functional
from torch.utils.flop_counter import FlopCounterMode

from pilotlight.errors import ConfigError
from pilotlight.model.coordinates import check
from pilotlight.model.decoder import Decoder
from pilotlight.model.layer import Rows
from pilotlight.model.mixers import Mixer
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.positions.none_layer import NoPositionLayer
from pilotlight.model.positions.rotary_layer import RotaryLayer
from pilotlight.model.weight import Role, initialise, role_of
from pilotlight.spec import discover

RULES = Parametrisation("completep", width_ratio=1.0, depth_ratio=1.0)
KINDS = discover(Mixer.folder)
GROWING = {"grouped", "latent"}
"""Kinds that keep something of every token while a text is generated."""
SHORT = {"window": 12, "block": 16, "long": 20}
"""Settings that make a row of some dozens of tokens longer than all that is near, for the kinds that have them."""
TIME = 50
pytestmark = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny tensors are slower on many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def settings_of(kind, head_dim=8):
    return {"head_dim": head_dim} | {name: size for name, size in SHORT.items() if name in KINDS[kind].model_fields}


def make(kind, *, short=True):
    settings = KINDS[kind].model_validate(settings_of(kind) if short else {"head_dim": 8})
    width = 4 * settings.width_step
    layer = settings.build(width, RULES)
    initialise(layer, 0)
    return layer, width


def drawn(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def turning():
    return RotaryLayer(8, 10_000.0)


def documents(*rows):
    """Numbers of documents from their lengths, row by row."""
    return torch.stack([torch.repeat_interleave(torch.arange(len(row)), torch.tensor(row)) for row in rows])


@pytest.mark.parametrize("short", [True, False])
@pytest.mark.parametrize("time", [1, 2, 33, 64, 150])
def test_it_keeps_the_shape_and_looks_at_no_later_token(kind, time, short):
    layer, width = make(kind, short=short)
    hidden = drawn(2, time, width).requires_grad_()
    mixed = layer(hidden, NoPositionLayer())
    assert mixed.shape == hidden.shape
    mixed[:, time // 2].square().sum().backward()
    assert not hidden.grad[:, time // 2 + 1 :].any()
    assert hidden.grad[:, max(0, time // 2 - 11) : time // 2 + 1].any(-1).all()


def test_rows_do_not_see_each_other(kind):
    layer, width = make(kind)
    hidden = drawn(3, 20, width)
    torch.testing.assert_close(layer(hidden, NoPositionLayer())[1:2], layer(hidden[1:2], NoPositionLayer()))


@pytest.mark.parametrize("short", [True, False])
def test_documents_are_as_if_each_stood_alone(kind, short):
    layer, width = make(kind, short=short)
    lengths = [[1, 15, 16, 3, 115], [150, 0, 0, 0, 0], [40, 1, 1, 100, 8]]
    hidden = drawn(3, 150, width)
    packed = layer(hidden, turning(), Rows(documents=documents(*lengths)))
    for row, sizes in enumerate(lengths):
        parts = [part for part in hidden[row : row + 1].split(sizes, dim=1) if part.shape[1]]
        alone = torch.cat([layer(part, turning()) for part in parts], dim=1)
        torch.testing.assert_close(packed[row : row + 1], alone, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("pieces", [[1] * TIME, [7] * 7 + [1], [40, 1, 1, 8], [3, 30, 17], [TIME]])
@pytest.mark.parametrize("apart", [False, True])
def test_a_text_in_pieces_is_the_whole_text(kind, pieces, apart):
    layer, width = make(kind)
    hidden = drawn(2, TIME, width)
    numbers = documents([11, 20, 19], [40, 10, 0]) if apart else None
    whole = layer(hidden, turning(), Rows(documents=numbers))
    memory, found, first = {}, [], 0
    with torch.no_grad():
        for piece in hidden.split(pieces, dim=1):
            known = first + piece.shape[1]
            rows = Rows(first=first, documents=None if numbers is None else numbers[:, :known])
            found.append(layer(piece, turning(), rows, memory))
            first = known
    torch.testing.assert_close(torch.cat(found, 1), whole, atol=2e-5, rtol=1e-4)


def test_what_is_remembered_grows_with_the_text_only_where_it_is_said(kind):
    layer, width = make(kind)
    memory, sizes = {}, []
    for first in range(0, 90, 30):
        layer(drawn(1, 30, width), turning(), Rows(first=first), memory)
        sizes.append(sum(item.numel() for item in memory.values()))
    assert sizes[1] < sizes[2] if kind in GROWING else sizes[1] == sizes[2]


def test_it_looks_both_ways_where_the_rows_say_so_or_refuses(kind):
    layer, width = make(kind)
    hidden = drawn(2, TIME, width).requires_grad_()
    rows = Rows(causal=False, documents=documents([20, 30], [50, 0]))
    if not KINDS[kind].both_ways:
        with pytest.raises(ConfigError, match=f"{kind}.*forwards"):
            layer(hidden, turning(), rows)
        return
    mixed = layer(hidden, turning(), rows)
    mixed[:, 15].square().sum().backward()
    seen = hidden.grad.any(-1)
    assert seen[:, 10:20].all()
    assert not seen[0, 20:].any()
    assert seen[1, 20:25].all()
    alone = layer(hidden[:1, :20], turning(), Rows(causal=False))
    torch.testing.assert_close(mixed[:1, :20], alone, atol=1e-5, rtol=1e-4)


def test_a_prefix_is_seen_by_all_or_refused(kind):
    layer, width = make(kind)
    hidden = drawn(2, 40, width).requires_grad_()
    rows = Rows(visible=torch.tensor([10, 0]))
    if not KINDS[kind].both_ways:
        with pytest.raises(ConfigError, match=f"{kind}.*forwards"):
            layer(hidden, turning(), rows)
        return
    mixed = layer(hidden, turning(), rows)
    mixed[:, 2].square().sum().backward(retain_graph=True)
    assert hidden.grad.any(-1).nonzero().tolist() == [[0, place] for place in range(10)] + [[1, 0], [1, 1], [1, 2]]
    hidden.grad = None
    mixed[0, 35].square().sum().backward()
    assert hidden.grad[0, :10].any(-1).all()
    assert not hidden.grad[0, 36:].any()
    torch.testing.assert_close(mixed[1:], layer(hidden[1:], turning()), atol=1e-5, rtol=1e-4)


def test_a_prefix_is_remembered_while_the_text_goes_on(kind):
    layer, width = make(kind)
    if not KINDS[kind].both_ways:
        pytest.skip("it goes forwards and refuses a prefix")
    hidden, rows, memory = drawn(2, TIME, width), Rows(visible=torch.tensor([10, 8])), {}
    parts = [layer(hidden[:, :12], turning(), rows, memory)]
    parts += [
        layer(hidden[:, place : place + 1], turning(), rows._replace(first=place), memory) for place in range(12, TIME)
    ]
    torch.testing.assert_close(torch.cat(parts, 1), layer(hidden, turning(), rows), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("apart", [False, True])
def test_it_works_in_bf16_close_to_float32(kind, apart):
    layer, width = make(kind)
    hidden, rows = drawn(2, TIME, width), Rows(documents=documents([20, 30], [49, 1]) if apart else None)
    rounded, exact = layer(hidden.bfloat16(), turning(), rows), layer(hidden, turning(), rows)
    assert rounded.dtype == torch.bfloat16
    torch.testing.assert_close(rounded.float(), exact, atol=0.06, rtol=0.06)


def test_every_parameter_gets_a_gradient(kind):
    layer, width = make(kind)
    layer(drawn(2, TIME, width), NoPositionLayer()).square().sum().backward()
    for name, parameter in layer.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


@pytest.mark.parametrize("apart", [False, True])
def test_gradients_are_those_of_small_changes(kind, apart):
    layer, width = make(kind)
    hidden, change, pull = (
        torch.randn(1, 30, width, generator=torch.Generator().manual_seed(seed)) for seed in range(3)
    )
    rows = Rows(documents=documents([13, 17]) if apart else None)
    given = hidden.requires_grad_()
    (layer(given, turning(), rows) * pull).sum().backward()
    expected = float((given.grad * change).double().sum())
    with torch.no_grad():
        up, down = (layer(hidden + step * change, turning(), rows) for step in (1e-3, -1e-3))
    found = float(((up - down).double() * pull.double()).sum()) / 2e-3
    assert found == pytest.approx(expected, rel=0.02, abs=0.02 * float(given.grad.norm()))


def test_its_products_are_counted_on_paper(kind):
    with torch.device("meta"):
        layer, hidden = KINDS[kind]().build(256, RULES), torch.zeros(1, 256, 256, requires_grad=True)
    with FlopCounterMode(display=False) as counter:
        mixed = layer(hidden, NoPositionLayer())
        forward = counter.get_total_flops()
        mixed.sum().backward()
    matrices = sum(parameter.numel() for parameter in layer.parameters() if role_of(parameter) is Role.MATRIX)
    assert 2 * 256 * matrices <= forward < 2 * 256 * (matrices + 3.5 * 256 * 256)
    assert 2.9 * forward <= counter.get_total_flops() <= 3.2 * forward


def test_its_parameters_are_about_four_squares_of_the_width(kind):
    with torch.device("meta"):
        layer = KINDS[kind]().build(512, RULES)
    assert 3.7 < sum(parameter.numel() for parameter in layer.parameters()) / 512**2 < 5.1


@pytest.mark.slow
# torch looks at the gradient of a block's input while it compiles, and warns itself about it.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
@pytest.mark.parametrize("apart", [False, True])
def test_a_compiled_block_agrees_with_the_eager_one(kind, apart):
    torch.compiler.reset()
    decoder = Decoder.model_validate({"depth": 1, "width": 32, "mixer": {"kind": kind} | settings_of(kind)})
    model = decoder.build(20)
    initialise(model, 0)
    ids = torch.randint(20, (2, 40), generator=torch.Generator().manual_seed(0))
    rows = Rows(documents=documents([17, 23], [39, 1]) if apart else None)
    eager = model.hidden(ids, rows)
    eager.sum().backward()
    gradients = {name: parameter.grad.clone() for name, parameter in model.blocks.named_parameters()}
    model.zero_grad()
    model.compile_parts()
    compiled = model.hidden(ids, rows)
    compiled.sum().backward()
    torch.testing.assert_close(compiled, eager, atol=2e-5, rtol=1e-4)
    for name, parameter in model.blocks.named_parameters():
        assert functional.cosine_similarity(parameter.grad.flatten(), gradients[name].flatten(), dim=0) > 0.99, name


@pytest.mark.slow
def test_updates_keep_their_size_over_width_and_depth(kind):
    found = check(Decoder.model_validate({"mixer": {"kind": kind} | settings_of(kind, head_dim=16)}), seeds=(0,))
    assert found.ok, found.summary
