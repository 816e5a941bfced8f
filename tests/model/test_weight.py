import pytest
import torch
from torch import nn

from pilotlight.model.decoder import Decoder
from pilotlight.model.weight import Role, initialise, role_of, scaling_of, start_of

SMALL = {"depth": 4, "width": 128}


def make(seed=0, **settings):
    model = Decoder.model_validate(SMALL | settings).build(64)
    initialise(model, seed)
    return model


def test_every_parameter_of_a_model_has_a_start_and_a_role():
    for name, parameter in make(tied=False, norm="layer", position="learned").named_parameters():
        assert start_of(parameter) is not None, name
        assert isinstance(role_of(parameter), Role), name


def test_a_parameter_without_a_start_is_refused():
    with pytest.raises(ValueError, match=r"'weight' has no start.*weight\(\)"):
        initialise(nn.Linear(2, 2), 0)


def test_variants_with_one_seed_share_every_common_weight():
    one, other = dict(make().named_parameters()), dict(make(feedforward="gelu", tied=False).named_parameters())
    common = {name for name in one.keys() & other.keys() if one[name].shape == other[name].shape}
    assert {"embedding", "blocks.3.mixer.query", "blocks.0.mixer.output"} <= common
    for name in common:
        assert torch.equal(one[name], other[name]), name


def test_another_seed_gives_other_weights():
    assert not torch.equal(make(seed=0).embedding, make(seed=1).embedding)


def test_starts_have_the_declared_spread():
    model = make()
    assert float(model.embedding.detach().std()) == pytest.approx(0.02, rel=0.05)
    assert float(model.blocks[0].feedforward.down.detach().std()) == pytest.approx((3 * 128) ** -0.5, rel=0.05)
    assert torch.equal(model.norm.gain, torch.ones(128))


def test_at_the_base_size_completep_is_the_standard_parametrisation():
    one, other = make(), make(parametrisation="standard")
    assert one.output_factor == other.output_factor == 1
    assert one.blocks[0].residual.branch == other.blocks[0].residual.branch == 1
    for (name, left), right in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(left, right), name
        assert scaling_of(left) == scaling_of(right), name


def test_completep_scales_as_its_paper_says():
    model = make(width=512, depth=8, tied=False)
    assert model.output_factor == 1 / 4
    assert model.blocks[0].residual.branch == 1 / 2
    matrix, gain = scaling_of(model.blocks[0].mixer.query), scaling_of(model.blocks[0].residual.mixer_norm.gain)
    assert (matrix.lr, matrix.weight_decay, matrix.eps) == (1 / 4, 4, 1 / 8)
    assert (gain.lr, gain.eps) == (1, 1 / 8)
    for parameter in (model.embedding, model.output, model.norm.gain):
        assert (scaling_of(parameter).lr, scaling_of(parameter).weight_decay, scaling_of(parameter).eps) == (
            1,
            1,
            1 / 4,
        )
