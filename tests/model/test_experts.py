import pytest
import torch
import torch.nn.functional as functional

from pilotlight.model.decoder import Decoder
from pilotlight.model.feedforward.experts import Experts
from pilotlight.model.layer import Rows
from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.size import measure
from pilotlight.model.weight import initialise

RULES = Parametrisation("completep", width_ratio=1.0, depth_ratio=1.0)
WIDTH = 16


def make(**settings):
    layer = Experts(**settings).build(WIDTH, RULES)
    initialise(layer, 0)
    return layer


def draw(*size, seed=0):
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def naive(layer, token):
    """Return what becomes of one token, expert by expert."""
    settings = layer.settings
    shares = (layer.router @ token).softmax(0)
    best = shares.sort(descending=True).indices[: settings.active]
    total = torch.zeros(WIDTH)
    for expert in best:
        change = layer.down[expert] @ (functional.silu(layer.gate[expert] @ token) * (layer.up[expert] @ token))
        total = total + shares[expert] / (shares[best].sum() if settings.active > 1 else 1.0) * change
    return total if layer.shared is None else total + layer.shared(token)


@pytest.mark.parametrize("settings", [{}, {"experts": 3, "active": 1}, {"shared": 1}, {"experts": 4, "active": 4}])
def test_values_and_gradients_are_those_of_one_token_after_another(settings):
    layer, hidden = make(**settings), draw(2, 9, WIDTH)
    pull = draw(2, 9, WIDTH, seed=1)
    found = layer(hidden)
    expected = torch.stack([naive(layer, token) for token in hidden.flatten(0, 1)]).view_as(hidden)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    gradients = torch.autograd.grad((found * pull).sum(), list(layer.parameters()))
    others = torch.autograd.grad((expected * pull).sum(), list(layer.parameters()))
    for one, other in zip(gradients, others, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)


def test_no_token_is_dropped_when_all_want_the_same_expert():
    layer = make(experts=4, active=1)
    with torch.no_grad():
        layer.router.zero_()
        layer.router[2] = 1.0
    hidden = draw(2, 50, WIDTH).abs()
    expected = torch.stack([naive(layer, token) for token in hidden.flatten(0, 1)]).view_as(hidden)
    torch.testing.assert_close(layer(hidden), expected, atol=1e-5, rtol=1e-4)


def penalty(layer, hidden):
    layer(hidden, Rows(training=True))
    return layer.penalty


def test_the_penalty_of_a_row_is_the_formula():
    layer, hidden = make(experts=4, balance=0.5, router_z_loss=0.0), draw(1, 12, WIDTH)
    shares = functional.linear(hidden[0], layer.router).softmax(-1)
    chosen = shares.topk(2, dim=-1).indices
    visits = torch.tensor([float((chosen == expert).sum()) for expert in range(4)])
    expected = 0.5 * (visits * 4 / (2 * 12) * shares.mean(0)).sum()
    torch.testing.assert_close(penalty(layer, hidden).mean(), expected)


def test_an_even_load_costs_the_least():
    layer = make(experts=4, active=1, balance=1.0, router_z_loss=0.0)
    with torch.no_grad():
        layer.router.zero_()
        layer.router[:, :4] = 20.0 * torch.eye(4)
    even = torch.eye(WIDTH)[torch.arange(8) % 4][None]
    torch.testing.assert_close(penalty(layer, even).mean(), torch.tensor(1.0))
    torch.testing.assert_close(penalty(layer, even[:, :1].expand(1, 8, WIDTH)).mean(), torch.tensor(4.0))


def test_training_evens_out_a_load_that_began_in_one_expert():
    layer = make(experts=4, active=1, balance=1.0)
    hidden = draw(4, 64, WIDTH)
    hidden[..., 0] = 1.0
    with torch.no_grad():
        layer.router[1, 0] += 4.0
    adam = torch.optim.Adam([layer.router], lr=0.05)

    def largest():
        chosen = functional.linear(hidden, layer.router).argmax(-1)
        return float(chosen.flatten().bincount(minlength=4).max()) / chosen.numel()

    before = largest()
    for _ in range(60):
        adam.zero_grad()
        penalty(layer, hidden).mean().backward()
        adam.step()
    assert before > 0.9
    assert largest() < 0.45


def test_the_router_z_loss_is_the_square_of_the_log_denominator():
    layer, hidden = make(balance=0.0, router_z_loss=0.1), draw(2, 5, WIDTH)
    expected = 0.1 * functional.linear(hidden, layer.router).logsumexp(-1).square()
    torch.testing.assert_close(penalty(layer, hidden), expected)


def test_a_model_of_experts_is_the_same_in_parts_and_counts_the_penalty_in_training_only():
    decoder = Decoder.model_validate({"depth": 2, "width": 32, "feedforward": {"kind": "experts", "balance": 0.5},
                                      "mixer": {"kind": "grouped", "head_dim": 16}})  # fmt: skip
    model = decoder.build(30)
    initialise(model, 0)
    ids = torch.randint(30, (4, 12), generator=torch.Generator().manual_seed(0))
    whole = model.losses(ids, ids, Rows(training=True))
    parts = [model.losses(part, part, Rows(training=True)) for part in ids.split(1)]
    torch.testing.assert_close(torch.cat(parts), whole)
    bare = model.losses(ids, ids)
    assert bool((whole - bare > 2 * 0.5 * 0.3).all())


def test_the_size_tells_what_is_there_from_what_a_token_meets():
    settings = {"depth": 3, "width": 64, "mixer": {"kind": "grouped", "head_dim": 16}}
    dense = measure(Decoder.model_validate(settings), 50, 32)
    sparse = measure(Decoder.model_validate(settings | {"feedforward": "experts"}), 50, 32)
    assert dense.active_parameters == dense.parameters
    router = 3 * 8 * 64
    assert sparse.active_parameters == dense.parameters + router
    assert sparse.parameters == dense.parameters + 3 * 3 * 9 * 64**2 + router
    assert sparse.forward_flops_per_token == dense.forward_flops_per_token + 2 * router


def test_more_active_experts_than_there_are_is_refused():
    with pytest.raises(ValueError, match="active is 9, but there are 8 experts"):
        Experts(active=9)


def test_the_kernel_for_groups_gives_what_a_product_for_each_gives(monkeypatch):
    """Only accelerators take it by themselves; torch has it on the CPU too."""
    layer, hidden, pull = make(experts=4), draw(2, 40, WIDTH).bfloat16(), draw(2, 40, WIDTH, seed=1)
    with torch.no_grad():
        layer.router[3] = -9.0 * hidden.float().mean((0, 1))  # one expert that is hardly chosen
    expected = layer(hidden)
    gradients = torch.autograd.grad((expected * pull).sum(), list(layer.parameters()))
    monkeypatch.setattr("pilotlight.model.feedforward.experts_layer._has_kernel", lambda inputs, matrices: True)
    found = layer(hidden)
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0.02)
    others = torch.autograd.grad((found * pull).sum(), list(layer.parameters()))
    for one, other in zip(gradients, others, strict=True):
        torch.testing.assert_close(one, other, atol=0.05, rtol=0.05)
