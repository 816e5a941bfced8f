"""Growth: what is exact stays exact, and blocks come from where the rule says."""

from __future__ import annotations

import pytest
import torch

from pilotlight.errors import ConfigError
from pilotlight.model.decoder import Decoder
from pilotlight.model.folding import Weighed, folded, unrolled
from pilotlight.model.growth import fitted, sources
from pilotlight.model.vocabulary import with_ids
from pilotlight.model.weight import initialise

IDS = 47
SHAPE = {"depth": 2, "width": 32, "mixer": {"kind": "grouped", "head_dim": 16}, "base_width": 16, "base_depth": 1}
KINDS = {
    "default": {},
    "shared_heads": {"mixer": {"kind": "grouped", "head_dim": 8, "queries_per_kv": 2}, "tied": False, "norm": "layer"},
    "windows": {"pattern": [{"kind": "window", "head_dim": 16, "window": 5}, {"kind": "grouped", "head_dim": 16}]},
    "sandwich": {"residual": "sandwich", "feedforward": "geglu"},
    "reordered": {"residual": "reordered", "feedforward": "relu_squared", "softcap": 5.0},
    "parallel": {"residual": "parallel", "parametrisation": "standard", "repeats": 2},
    "encoder": {
        "residual": "post", "norm": "layer", "embedding_norm": True, "final_norm": False, "output_change": True,
        "output_bias": True, "feedforward": {"kind": "gelu", "bias": True}, "position": {"kind": "learned", "longest": 32},
        "mixer": {"kind": "grouped", "head_dim": 16, "qk_norm": False, "bias": "all"},
    },
}  # fmt: skip
IDS_SEEN = torch.randint(IDS, (2, 20), generator=torch.Generator().manual_seed(5))


def model_of(kind: str = "default", **changes) -> Weighed:
    decoder = Decoder.model_validate(SHAPE | KINDS[kind] | changes)
    model = decoder.build(IDS)
    initialise(model, 0)
    draw = torch.Generator().manual_seed(1)
    tensors = {key: value + 0.2 * torch.randn(value.shape, generator=draw) for key, value in model.state_dict().items()}
    return Weighed(decoder, tensors)


@torch.no_grad()
def logits(decoder: Decoder, tensors: dict[str, torch.Tensor]) -> torch.Tensor:
    model = decoder.build(IDS)
    model.load_state_dict(tensors)
    return model.logits(IDS_SEEN)


def resized(model: Weighed, **size: int) -> Decoder:
    return model.decoder.model_copy(update=size)


@pytest.mark.parametrize("kind", KINDS)
def test_multipliers_move_into_the_weights_and_repeats_into_blocks(kind):
    model = model_of(kind)
    plain = folded(unrolled(model))
    assert plain.decoder.parametrisation == "standard"
    assert plain.decoder.repeats == 1
    torch.testing.assert_close(logits(*plain), logits(*model), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("noise", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_a_wider_model_computes_the_same(kind, noise):
    model = model_of(kind)
    target = resized(model, width=64)
    grown = fitted(model, target, noise=noise, seed=3)
    torch.testing.assert_close(logits(target, grown), logits(*model), atol=2e-5, rtol=2e-5)


def test_three_times_as_wide_and_twice_as_deep_with_silent_copies_computes_the_same():
    model = model_of()
    target = resized(model, width=96, depth=4)
    grown = fitted(model, target, depth_rule="silent")
    torch.testing.assert_close(logits(target, grown), logits(*model), atol=2e-5, rtol=2e-5)
    assert not grown["blocks.1.mixer.output"].any()
    assert grown["blocks.2.mixer.output"].any()


def gradients(decoder, tensors):
    model = decoder.build(IDS)
    model.load_state_dict(tensors)
    model.losses(IDS_SEEN[:, :-1], IDS_SEEN[:, 1:]).mean().backward()
    return {name: parameter.grad for name, parameter in model.named_parameters()}


def test_copies_of_a_unit_part_ways_only_where_they_share_unevenly():
    model = model_of()
    target = resized(model, width=64)
    for noise, same in ((0.0, True), (0.5, False)):
        upper, lower = gradients(target, fitted(model, target, noise=noise))["blocks.0.feedforward.up"].chunk(2)
        assert torch.allclose(upper, lower, rtol=1e-3, atol=1e-8) == same


def test_silent_copies_learn():
    model = model_of()
    target = resized(model, depth=4)
    found = gradients(target, fitted(model, target, depth_rule="silent"))
    assert found["blocks.1.mixer.output"].abs().max() > 0


def test_growth_follows_the_seed():
    model = model_of()
    target = resized(model, width=64)
    one, again, other = (fitted(model, target, seed=seed) for seed in (1, 1, 2))
    name = "blocks.0.mixer.query"
    assert torch.equal(one[name], again[name])
    assert not torch.equal(one[name], other[name])


@pytest.mark.parametrize(
    ("rule", "old", "new", "expected"),
    [
        ("stack", 3, 6, [0, 1, 2, 0, 1, 2]),
        ("stack", 3, 2, [0, 1]),
        ("interleave", 3, 6, [0, 0, 1, 1, 2, 2]),
        ("interleave", 6, 3, [0, 2, 4]),
        ("silent", 2, 3, [0, 0, 1]),
        ("middle", 4, 6, [0, 1, 2, 1, 2, 3]),
        ("middle", 32, 48, [*range(24), *range(8, 32)]),
        ("middle", 6, 3, [0, 1, 5]),
    ],
)
def test_blocks_come_from_where_the_rule_says(rule, old, new, expected):
    assert sources(rule, old, new) == expected


def test_a_block_adds_to_the_stream_what_its_source_added_whatever_the_multipliers():
    model = model_of(depth=4)
    shallow = resized(model, depth=2)
    kept = fitted(model, shallow, depth_rule="stack")
    ratio = model.decoder.rules().branch / shallow.rules().branch
    assert ratio != 1
    torch.testing.assert_close(kept["blocks.1.mixer.output"], model.tensors["blocks.1.mixer.output"] * ratio)
    torch.testing.assert_close(kept["blocks.1.mixer.query"], model.tensors["blocks.1.mixer.query"])


@pytest.mark.parametrize(
    ("kind", "size", "rule", "words"),
    [
        ("default", {"depth": 4}, None, "say how they become more"),
        ("default", {"width": 48}, None, "only whole multiples are exact"),
        ("default", {"depth": 5}, "middle", "at most 4 blocks"),
        ("windows", {"depth": 4}, "interleave", "block 0 at place 1"),
        ("encoder", {"depth": 4}, "silent", "with model.residual post there are none"),
    ],
)
def test_growth_that_cannot_be_is_refused_with_a_way_out(kind, size, rule, words):
    model = model_of(kind)
    with pytest.raises(ConfigError, match=words):
        fitted(model, resized(model, **size), depth_rule=rule)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"mixer": {"kind": "linear", "head_dim": 16}}, "model.mixer linear"),
        ({"position": "alibi"}, "model.position alibi"),
        ({"mixer": {"kind": "grouped", "head_dim": 16, "heads": 2}}, "heads would not grow"),
    ],
)
def test_parts_that_cannot_be_widened_exactly_are_named(settings, words):
    model = model_of(**settings)
    with pytest.raises(ConfigError, match=words):
        fitted(model, resized(model, width=64))


def test_a_model_of_other_parts_is_refused_by_the_part():
    model = model_of()
    target = model.decoder.model_copy(update={"softcap": 3.0, "feedforward": model_of("sandwich").decoder.feedforward})
    with pytest.raises(ConfigError, match=r"model.feedforward.kind: swiglu, not geglu.*model.softcap: null, not 3.0"):
        fitted(model, target)


def test_other_ids_keep_their_rows_and_new_ones_begin_as_the_mean():
    model = model_of("encoder")
    found = with_ids(model.tensors, [3, None, 1])
    table = model.tensors["embedding"]
    assert torch.equal(found["embedding"][[0, 2]], table[[3, 1]])
    torch.testing.assert_close(found["embedding"][1], table.mean(0))
    torch.testing.assert_close(found["output_bias"][1], model.tensors["output_bias"].mean())
    assert torch.equal(found["position.table"], model.tensors["position.table"])
