"""Patterns, shared depth, the cap of the logits, and how their size is counted."""

import pytest
import torch

from pilotlight.model.cross_entropy import token_losses
from pilotlight.model.decoder import Decoder
from pilotlight.model.layer import FeedForwardLayer, Rows
from pilotlight.model.size import measure, shape
from pilotlight.model.weight import initialise

HEADS = {"kind": "grouped", "head_dim": 16}
SHARED = {"kind": "grouped", "head_dim": 16, "queries_per_kv": 2}
PATTERN = [HEADS, HEADS, SHARED]


def decoder(**settings):
    return Decoder.model_validate({"depth": 2, "width": 32, "mixer": HEADS} | settings)


def make(**settings):
    model = decoder(**settings).build(50)
    initialise(model, 0)
    return model


def draw(*size):
    return torch.randint(50, size, generator=torch.Generator().manual_seed(0))


def test_repeats_go_through_the_same_blocks_again():
    once, thrice = make(parametrisation="standard"), make(parametrisation="standard", repeats=3)
    assert [name for name, _ in once.named_parameters()] == [name for name, _ in thrice.named_parameters()]
    ids = draw(2, 9)
    hidden = torch.nn.functional.embedding(ids, once.embedding)
    for _ in range(3):
        for block in once.blocks:
            hidden = block(hidden, once.position)
    torch.testing.assert_close(thrice.hidden(ids), once.norm(hidden))


def test_repeats_multiply_the_operations_of_the_blocks_and_add_no_parameter():
    once, thrice = (measure(decoder(repeats=repeats), 50, 16) for repeats in (1, 3))
    assert thrice.parameters == once.parameters
    assert thrice.total_parameters == once.total_parameters
    output = 2 * 50 * 32
    assert thrice.forward_flops_per_token - output == 3 * (once.forward_flops_per_token - output)
    assert thrice.training_flops_per_token - 3 * output == 3 * (once.training_flops_per_token - 3 * output)


def test_completep_takes_the_depth_that_is_gone_through():
    assert decoder(repeats=3).rules() == decoder(depth=6).rules()


def test_every_visit_of_a_block_adds_its_penalty():
    class Costly(FeedForwardLayer):
        def forward(self, hidden, rows=None):
            self.penalty = torch.full(hidden.shape[:2], 0.25)
            return hidden

    model, ids = make(depth=1, repeats=3), draw(2, 9)
    model.blocks[0].feedforward = Costly()
    torch.testing.assert_close(model.losses(ids, ids, Rows(training=True)), model.losses(ids, ids) + 3 * 0.25)


# torch looks at the gradient of a block's input while it compiles, and warns itself about it.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
@pytest.mark.parametrize("settings", [{}, {"dropout": 0.1, "repeats": 2}])
def test_all_blocks_of_a_kind_share_one_compiled_graph(settings):
    from torch._dynamo.utils import counters

    torch.compiler.reset()
    model, ids = make(depth=3, **settings), draw(2, 9)
    rows = Rows(training=True, seeds=torch.tensor([3, 4]) if settings else None)
    expected = model.losses(ids, ids, rows)
    counters.clear()
    for block in model.blocks:
        block.compile(dynamic=False, backend="eager")
    torch.testing.assert_close(model.losses(ids, ids, rows), expected)
    assert counters["stats"]["unique_graphs"] == 1
    assert not counters["graph_break"]


def test_another_visit_drops_other_entries():
    ids, rows = draw(2, 9), Rows(training=True, seeds=torch.tensor([3, 4]))
    model = make(depth=1, dropout=0.5, repeats=2)
    dropped = []
    model.blocks[0].register_forward_hook(lambda _, inputs, __: dropped.append(inputs[2].seeds))
    model.losses(ids, ids, rows)
    assert not torch.equal(dropped[0], dropped[1])


def test_a_pattern_gives_its_mixers_to_successive_blocks():
    assert [mixer.queries_per_kv for mixer in decoder(depth=5, pattern=PATTERN).mixers()] == [1, 1, 2, 1, 1]
    assert make(depth=3, pattern=PATTERN).blocks[2].mixer.kv_heads == 1


def test_positions_of_a_pattern_are_of_its_heads():
    model = make(pattern=[{"kind": "grouped", "head_dim": 8}])
    assert model.logits(draw(1, 5)).shape == (1, 5, 50)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6, 7, 11])
def test_the_size_of_a_pattern_is_that_of_its_model(depth):
    settings = decoder(depth=depth, pattern=PATTERN)
    found, model = measure(settings, 50, 16), settings.build(50)
    total = sum(parameter.numel() for parameter in model.parameters())
    assert found.total_parameters == total
    assert found.parameters == total - 50 * 32
    shared = depth // 3
    matrices = (depth - shared) * (4 + 9) * 32**2 + shared * (3 + 9) * 32**2 + 50 * 32
    assert found.forward_flops_per_token == 2 * (matrices + depth * 2 * 16 * 32)


@pytest.mark.parametrize("target", ["100k", "700k", "5M"])
def test_shapes_never_cut_a_pattern_short(target):
    shaped = shape(Decoder.model_validate({"pattern": PATTERN}), target, 50)
    assert shaped.depth % 3 == 0
    assert measure(shaped, 50, 16).parameters == pytest.approx(
        float(target[:-1]) * {"k": 1e3, "M": 1e6}[target[-1]], rel=0.3
    )


def test_heads_of_two_sizes_in_a_pattern_are_refused():
    with pytest.raises(ValueError, match="heads of 16, 32 entries"):
        decoder(pattern=[HEADS, {"kind": "grouped", "head_dim": 32}])


def test_the_cap_bends_logits_and_losses_alike():
    plain, capped = make(embedding_std=1.0), make(embedding_std=1.0, softcap=2.0)
    ids = draw(2, 9)
    logits = capped.logits(ids)
    torch.testing.assert_close(logits, 2.0 * torch.tanh(plain.logits(ids) / 2.0))
    assert float(plain.logits(ids).detach().abs().max()) > 2.0 >= float(logits.detach().abs().max())
    expected = torch.nn.functional.cross_entropy(logits.flatten(0, 1), ids.flatten(), reduction="none")
    torch.testing.assert_close(capped.losses(ids, ids).flatten(), expected)


def test_the_z_loss_counts_in_training_only():
    model, ids = make(), draw(2, 9)
    denominators = model.logits(ids).logsumexp(-1)
    torch.testing.assert_close(model.losses(ids, ids, z_loss=0.1), model.losses(ids, ids))
    expected = model.losses(ids, ids) + 0.1 * denominators.square()
    torch.testing.assert_close(model.losses(ids, ids, Rows(training=True), z_loss=0.1), expected)


def test_the_head_takes_chosen_places_only():
    model, ids = make(), draw(2, 9)
    hidden = model.hidden(ids)
    torch.testing.assert_close(model.head(hidden[:, 4], ids[:, 4]), model.losses(ids, ids)[:, 4])
    assert model._head is token_losses
