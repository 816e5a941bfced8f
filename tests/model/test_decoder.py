import pytest
import torch
import torch.nn.functional as functional

from pilotlight.errors import ConfigError
from pilotlight.model.decoder import Decoder
from pilotlight.model.weight import initialise

VOCABULARY = 50
KINDS = [
    {},
    {"tied": False, "feedforward": "relu_squared", "norm": "layer"},
    {"position": "learned", "feedforward": "gelu", "mixer": {"kind": "grouped", "head_dim": 8, "qk_norm": False}},
    {"position": "none", "mixer": {"kind": "grouped", "head_dim": 8, "queries_per_kv": 2}},
]


def make(seed=0, **settings):
    decoder = Decoder.model_validate({"depth": 2, "width": 32, "mixer": {"kind": "grouped", "head_dim": 16}} | settings)
    model = decoder.build(VOCABULARY)
    initialise(model, seed)
    return model


def rows(*shape, seed=0):
    return torch.randint(VOCABULARY, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("settings", KINDS)
def test_a_later_token_never_changes_an_earlier_prediction(settings):
    model, ids = make(**settings), rows(2, 70)
    changed = ids.clone()
    changed[:, 40] = (changed[:, 40] + 1) % VOCABULARY
    before, after = model.logits(ids), model.logits(changed)
    torch.testing.assert_close(before[:, :40], after[:, :40])
    assert not torch.allclose(before[:, 40:], after[:, 40:])


@pytest.mark.parametrize("settings", KINDS)
def test_losses_are_the_cross_entropy_of_the_logits(settings):
    model, ids, targets = make(**settings), rows(3, 20), rows(3, 20, seed=1)
    expected = functional.cross_entropy(model.logits(ids).flatten(0, 1), targets.flatten(), reduction="none")
    losses = model.losses(ids, targets)
    assert losses.shape == (3, 20)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses.flatten(), expected)


@pytest.mark.parametrize("settings", KINDS)
def test_gradients_of_weighted_losses_are_those_of_torch(settings):
    model, ids, targets = make(**settings), rows(2, 30), rows(2, 30, seed=1)
    weights = torch.rand(2, 30, generator=torch.Generator().manual_seed(2))
    (model.losses(ids, targets) * weights).sum().backward()
    own = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad()
    expected = functional.cross_entropy(model.logits(ids).flatten(0, 1), targets.flatten(), reduction="none")
    (expected * weights.flatten()).sum().backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(own[name], parameter.grad, atol=1e-5, rtol=1e-3)


@pytest.mark.parametrize("settings", KINDS)
def test_bf16_is_close_to_float32_and_keeps_parameters_and_gradients_float32(settings):
    model, ids, targets = make(**settings), rows(2, 40), rows(2, 40, seed=1)
    exact = model.losses(ids, targets)
    exact.mean().backward()
    gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad()
    model.compute_dtype = torch.bfloat16
    rounded = model.losses(ids, targets)
    rounded.mean().backward()
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, exact, atol=0.05, rtol=0.01)
    for name, parameter in model.named_parameters():
        assert parameter.grad.dtype == torch.float32
        likeness = functional.cosine_similarity(parameter.grad.flatten(), gradients[name].flatten(), dim=0)
        assert likeness > 0.98, name


def test_a_model_starts_at_the_loss_of_guessing():
    losses = make().losses(rows(4, 60), rows(4, 60, seed=1)).detach()
    assert abs(float(losses.mean()) - torch.tensor(float(VOCABULARY)).log()) < 0.1


def test_rows_longer_than_the_kept_angles_are_read_alike():
    model, ids = make(depth=1), rows(1, 1100)
    torch.testing.assert_close(model.logits(ids)[:, :900], model.logits(ids[:, :900]), atol=1e-4, rtol=1e-4)


def test_a_missing_size_is_asked_for():
    with pytest.raises(ConfigError, match=r"model\.width is not set"):
        Decoder(depth=2).build(VOCABULARY)


def test_a_width_that_does_not_fit_the_heads_names_the_nearest_ones():
    with pytest.raises(ConfigError, match="take 64 or 128"):
        Decoder(depth=2, width=100).build(VOCABULARY)


@pytest.mark.slow
# torch looks at the gradient of a block's input while it compiles, and warns itself about it.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
@pytest.mark.parametrize("way", ["whole", "parts"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_compiled_model_agrees_with_the_eager_one_within_rounding(dtype, way):
    torch.compiler.reset()
    model, ids, targets = make(), rows(2, 64), rows(2, 64, seed=1)
    model.compute_dtype = dtype
    eager = model.losses(ids, targets)
    eager.mean().backward()
    gradients = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
    model.zero_grad()
    if way == "parts":
        model.compile_parts()
    compiled = (torch.compile(model, dynamic=False) if way == "whole" else model)(ids, targets)
    compiled.mean().backward()
    near = {"atol": 1e-5, "rtol": 1e-4} if dtype is torch.float32 else {"atol": 0.05, "rtol": 0.01}
    torch.testing.assert_close(compiled, eager, **near)
    for name, parameter in model.named_parameters():
        assert functional.cosine_similarity(parameter.grad.flatten(), gradients[name].flatten(), dim=0) > 0.98, name
