import pytest
import torch

from pilotlight.model.decoder import Decoder
from pilotlight.model.mixers.latent import Latent
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.positions.none_layer import NoPositionLayer
from pilotlight.model.positions.rotary_layer import RotaryLayer
from pilotlight.model.size import measure
from pilotlight.model.weight import initialise

RULES = Parametrisation("completep", width_ratio=1.0, depth_ratio=1.0)
WIDTH, SIZE, HEADS = 32, 8, 4


def build(**settings):
    layer = Latent(head_dim=SIZE, **settings).build(WIDTH, RULES)
    initialise(layer, 0)
    return layer


def unit(vector):
    return vector * torch.rsqrt(vector.square().mean(-1, keepdim=True) + 1e-6)


def naive(layer, hidden, position, *, norm):
    """The paper's equations, one head at a time, with a whole masked square."""
    time = hidden.shape[1]
    short = unit(hidden @ layer.compress.T)
    first = unit if norm else torch.nn.Identity()
    turn = lambda vectors: position.at_attention(first(vectors)[:, :, None])[:, :, 0]  # noqa: E731
    placed_key = turn(hidden @ layer.placed_key.T)
    later = torch.ones(time, time, dtype=torch.bool).triu(1)
    outputs = []
    for head in range(HEADS):
        rows = slice(head * SIZE, (head + 1) * SIZE)
        content = first(hidden @ layer.query[rows].T) @ first(short @ layer.key[rows].T).transpose(1, 2)
        placed = turn(hidden @ layer.placed_query[rows].T) @ placed_key.transpose(1, 2)
        scores = ((content + placed) / (2 * SIZE) ** 0.5).masked_fill(later, float("-inf"))
        outputs.append(scores.softmax(-1) @ (short @ layer.value[rows].T))
    return torch.cat(outputs, -1) @ layer.output.T


@pytest.mark.parametrize("norm", [True, False])
@pytest.mark.parametrize("time", [1, 40, 101])
@pytest.mark.parametrize("position", [RotaryLayer(SIZE, 10_000.0), NoPositionLayer()])
def test_it_is_the_attention_of_the_paper(norm, time, position):
    layer, hidden = build(qk_norm=norm), torch.randn(2, time, WIDTH)
    expected = naive(layer, hidden, position, norm=norm)
    torch.testing.assert_close(layer(hidden, position), expected, atol=1e-5, rtol=1e-4)


def test_all_a_token_leaves_behind_is_its_short_vector_and_one_placed_key():
    layer = build(latent=0.5)
    assert layer.compress.shape == (16, WIDTH)
    assert layer.placed_key.shape == (SIZE, WIDTH)
    # Hidden states that these two matrices cannot tell apart are the same to every later token.
    basis = torch.linalg.svd(torch.cat([layer.compress, layer.placed_key]).detach())[2]
    hidden = torch.randn(1, 10, WIDTH)
    changed = hidden.clone()
    changed[0, 3] += 5 * basis[-1]
    before, after = (layer(rows, RotaryLayer(SIZE, 10_000.0)) for rows in (hidden, changed))
    torch.testing.assert_close(before[:, 4:], after[:, 4:], atol=1e-4, rtol=1e-4)
    assert not torch.allclose(before[:, 3], after[:, 3], atol=1e-2)


def test_flops_equal_a_count_by_hand():
    depth, width, context, vocabulary = 2, 128, 64, 100
    size = measure(Decoder(depth=depth, width=width, mixer=Latent(head_dim=32)), vocabulary, context)
    # Two queries and the output, the short vector, the placed key, and keys and values from a quarter of the width.
    attention = (2 + 1 + 1 / 4 + 2 / 4) * width**2 + 32 * width
    matrices = depth * (attention + 9 * width**2) + vocabulary * width
    products = depth * (2 + 1) * context * width
    assert size.forward_flops_per_token == 2 * (matrices + products)
