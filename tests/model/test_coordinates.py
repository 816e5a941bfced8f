import pytest

from pilotlight.model.coordinates import check
from pilotlight.model.decoder import Decoder
from pilotlight.model.mixers.grouped import Grouped

HEADS = Grouped(head_dim=16)


def test_updates_keep_their_size_over_width_and_depth_under_completep():
    found = check(Decoder(mixer=HEADS), seeds=(0,))
    assert found.ok, found.summary


def test_updates_grow_with_width_and_depth_under_the_standard_parametrisation():
    found = check(Decoder(mixer=HEADS, parametrisation="standard"), seeds=(0,))
    assert not found.ok
    assert found.width_slopes["logits"] > 0.55
    assert found.depth_slopes["hidden"] > 0.55


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        {"norm": "layer"},
        {"position": "learned"},
        {"feedforward": "relu_squared"},
        {"feedforward": "experts"},
        {"position": "alibi"},
        {"residual": "post"},
        {"residual": "reordered"},
        {"residual": "sandwich"},
        {"residual": "parallel"},
        {"residual": "rezero"},
        {"repeats": 2},
        {"initialisation": "orthogonal"},
        {"initialisation": {"kind": "uniform", "fan": "average", "output": "zero"}},
        {"tied": False},
        {"base_width": 64, "base_depth": 2},
    ],
)
def test_every_part_keeps_the_coordinate_check(settings):
    found = check(Decoder.model_validate({"mixer": HEADS} | settings))
    assert found.ok, found.summary
