import pytest

from pilotlight.errors import ConfigError
from pilotlight.model.decoder import Decoder
from pilotlight.model.size import measure, shape

VOCABULARY, CONTEXT = 300, 64


def test_counted_parameters_are_those_of_the_model():
    for settings in ({}, {"tied": False, "norm": "layer", "position": "learned"}):
        decoder = Decoder.model_validate({"depth": 3, "width": 64} | settings)
        model = decoder.build(VOCABULARY)
        size = measure(decoder, VOCABULARY, CONTEXT)
        assert size.total_parameters == sum(parameter.numel() for parameter in model.parameters())
        tables = [model.embedding, model.output, getattr(model.position, "table", None)]
        outside = sum(table.numel() for table in tables if table is not None)
        assert size.parameters == size.total_parameters - outside


def test_flops_equal_a_count_by_hand():
    depth, width = 3, 128
    size = measure(Decoder(depth=depth, width=width), VOCABULARY, CONTEXT)
    matrices = depth * (4 + 9) * width**2 + VOCABULARY * width
    # Scores and mixing of a row: 2 products of time x time x width, whatever is masked or skipped.
    attention = depth * 2 * CONTEXT * width
    assert size.forward_flops_per_token == 2 * (matrices + attention)
    assert size.training_flops_per_token == 6 * (matrices + attention)


def test_feedforwards_hold_equally_many_parameters_at_their_defaults():
    kinds = ("swiglu", "relu_squared", "gelu")
    sizes = {
        measure(Decoder.model_validate({"depth": 2, "width": 128, "feedforward": kind}), 99, 32).parameters
        for kind in kinds
    }
    assert len(sizes) == 1


TARGETS = [1e5, 1.5e5, 2e5, 3e5, 5e5, 7e5, 1e6, 2e6, 4e6, 8e6, 1.6e7, 3e7, 1.24e8]


@pytest.mark.parametrize("head_dim", [32, 64])
def test_a_larger_target_never_gives_a_smaller_model(head_dim):
    decoder = Decoder.model_validate({"mixer": {"kind": "grouped", "head_dim": head_dim}})
    sizes = []
    for target in TARGETS:
        shaped = shape(decoder, target, VOCABULARY)
        sizes.append(measure(shaped, VOCABULARY, CONTEXT).parameters)
        assert sizes[-1] == pytest.approx(target, rel=0.25)
        assert 12 <= shaped.width / shaped.depth <= 160
    assert sizes == sorted(sizes)


def test_targets_of_millions_are_met_within_some_percent():
    for target in ("2M", "6M", "18M", "124M"):
        size = measure(shape(Decoder(), target, VOCABULARY), VOCABULARY, CONTEXT)
        assert size.parameters == pytest.approx(float(target[:-1]) * 1e6, rel=0.06)


def test_a_width_or_depth_that_is_set_is_kept():
    assert shape(Decoder(width=128), "1M", VOCABULARY).width == 128
    assert shape(Decoder(depth=2), "1M", VOCABULARY).depth == 2


def test_a_size_no_shape_comes_near_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="depth 1, width 64"):
        shape(Decoder(), "5k", VOCABULARY)
