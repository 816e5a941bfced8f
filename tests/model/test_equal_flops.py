from __future__ import annotations

import pytest

from pilotlight.errors import ConfigError
from pilotlight.model.decoder import Decoder
from pilotlight.model.equal_flops import shape_by_flops
from pilotlight.model.size import measure, shape

HEADS = {"kind": "grouped", "head_dim": 16}


def flops(decoder):
    return measure(decoder, 512, 64).training_flops_per_token


@pytest.mark.parametrize(
    "settings",
    [
        {"mixer": {"kind": "minimal_recurrence", "head_dim": 16}},
        {"pattern": [{"kind": "window", "head_dim": 16}, HEADS]},
        {"mixer": HEADS, "feedforward": {"kind": "swiglu", "expansion": 6}},
    ],
)
def test_another_model_costs_about_as_much_per_token(settings):
    target = flops(shape(Decoder.model_validate({"mixer": HEADS}), 100e3, 512))
    found = shape_by_flops(Decoder.model_validate(settings), target, 512, 64)
    assert flops(found) == pytest.approx(target, rel=0.15)
    assert found.depth % max(1, len(found.pattern)) == 0


def test_the_same_model_gets_its_own_shape_back():
    decoder = Decoder.model_validate({"mixer": HEADS})
    shaped = shape(decoder, 100e3, 512)
    found = shape_by_flops(decoder, flops(shaped), 512, 64)
    assert flops(found) == pytest.approx(flops(shaped), rel=0.05)


def test_what_cannot_be_met_is_refused_with_the_nearest():
    with pytest.raises(ConfigError, match="the nearest is depth 1, width 64"):
        shape_by_flops(Decoder.model_validate({"mixer": {"kind": "grouped", "head_dim": 64}}), 1e4, 512, 64)
