import pytest

from pilotlight.model.attention.grouped import Grouped
from pilotlight.model.coordinates import check
from pilotlight.model.decoder import Decoder

HEADS = Grouped(head_dim=16)


def test_updates_keep_their_size_over_width_and_depth_under_completep():
    found = check(Decoder(attention=HEADS), seeds=(0,))
    assert found.ok, found.summary


def test_updates_grow_with_width_and_depth_under_the_standard_parametrisation():
    found = check(Decoder(attention=HEADS, parametrisation="standard"), seeds=(0,))
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
        {"tied": False},
        {"base_width": 64, "base_depth": 2},
    ],
)
def test_every_part_keeps_the_coordinate_check(settings):
    found = check(Decoder.model_validate({"attention": HEADS} | settings))
    assert found.ok, found.summary
