"""Each optimiser against its paper's formula worked out by hand, over widths, and through kills of a training."""

from __future__ import annotations

import math

import pytest
import torch
from optimiser_examples import DECAY, RATE, Tower, adamw_by_hand, gradients_of, same, two_steps
from torch import nn
from training_examples import ONE, digest, plan_of

from pilotlight.model.parametrisation import Parametrisation
from pilotlight.model.weight import Role, matrix
from pilotlight.train.events import Saved
from pilotlight.train.loop import train
from pilotlight.train.optim import Optim
from pilotlight.train.optim._orthogonal import orthogonal


def test_adam_is_algorithm_1_of_kingma_and_ba_with_decoupled_decay():
    model, before, given = two_steps(kind="adam")
    same(model, {name: adamw_by_hand(w, [g[name] for g in given], (0.9, 0.999)) for name, w in before.items()})


def test_adam_can_add_its_decay_to_the_gradient():
    model, before, given = two_steps(kind="adam", decay_rule="gradient")
    first = {name: given[0][name] + DECAY * w for name, w in before.items()}
    middle = {name: adamw_by_hand(w, [first[name]], (0.9, 0.999), decay=0.0) for name, w in before.items()}
    second = {name: given[1][name] + DECAY * w for name, w in middle.items()}
    same(model, {
        name: adamw_by_hand(w, [first[name], second[name]], (0.9, 0.999), decay=0.0) for name, w in before.items()
    })  # fmt: skip


def test_adam_decays_nothing_unless_it_is_told_to():
    assert Optim.choose("adam").weight_decay == 0.0


def test_adagrad_divides_by_the_root_of_all_squares():
    model, before, given = two_steps(kind="adagrad")
    expected = {}
    for name, w in before.items():
        first, second = given[0][name], given[1][name]
        w = w * (1 - RATE * DECAY) - RATE * first.sign()
        expected[name] = w * (1 - RATE * DECAY) - RATE * second / (first**2 + second**2).sqrt()
    same(model, expected)


def _follow(ours: nn.Module, optimiser: torch.optim.Optimizer, theirs: nn.Module, other: torch.optim.Optimizer):
    """Give both the same gradients, and weights whose root mean square is 1 before each step."""
    for step in (1, 2, 3):
        given = gradients_of(ours, step)
        for model, stepping in ((ours, optimiser), (theirs, other)):
            with torch.no_grad():
                for name, parameter in model.named_parameters():
                    parameter.div_(parameter.square().mean().sqrt())
                    parameter.grad = given[name].clone()
            stepping.step()
        same(ours, dict(theirs.named_parameters()))


def test_adagrad_without_decay_is_that_of_torch():
    ours, theirs = Tower(), Tower()
    optimiser = Optim.choose({"kind": "adagrad", "lr": RATE, "weight_decay": 0.0}).build(ours)
    _follow(ours, optimiser, theirs, torch.optim.Adagrad(theirs.parameters(), lr=RATE))


def test_adafactor_is_that_of_torch_where_weights_have_a_root_mean_square_of_1():
    ours, theirs = Tower(), Tower()
    optimiser = Optim.choose({"kind": "adafactor", "lr": RATE, "weight_decay": 0.0}).build(ours)
    _follow(ours, optimiser, theirs, torch.optim.Adafactor(theirs.parameters(), lr=RATE, weight_decay=0.0))


def test_lion_moves_every_weight_by_the_rate_along_the_interpolated_momentum():
    model, before, given = two_steps(kind="lion")
    expected = {}
    for name, w in before.items():
        first, second = given[0][name], given[1][name]
        w = w * (1 - RATE * DECAY) - RATE * first.sign()
        momentum = 0.01 * first
        expected[name] = w * (1 - RATE * DECAY) - RATE * (0.9 * momentum + 0.1 * second).sign()
    same(model, expected)


def _factored(given):
    """Return Adafactor's directions (algorithm 4 with the clip of section 6) for gradients one after another."""
    row = column = second = 0.0
    for step, g in enumerate(given, start=1):
        keep = 1 - step**-0.8
        squared = g * g + 1e-30
        if g.ndim < 2:
            second = keep * second + (1 - keep) * squared
        else:
            row = keep * row + (1 - keep) * squared.sum(-1)
            column = keep * column + (1 - keep) * squared.sum(-2)
            second = row[..., :, None] * column[..., None, :] / row.sum(-1)[..., None, None]
        direction = g / second.sqrt()
        yield direction / max(1.0, float(direction.square().mean().sqrt()))


def test_adafactor_divides_by_the_factored_second_moment_and_clips():
    model, before, given = two_steps(kind="adafactor")
    expected = {}
    for name, w in before.items():
        for direction in _factored([g[name] for g in given]):
            w = w * (1 - RATE * DECAY) - RATE * direction
        expected[name] = w
    same(model, expected)


def test_adafactor_keeps_a_row_and_a_column_of_a_matrix():
    model = Tower()
    optimiser = Optim.choose("adafactor").build(model)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    assert sum(value.numel() for value in optimiser.state[model.tall].values()) == 1 + 6 + 4


def _polar(matrices: torch.Tensor) -> torch.Tensor:
    left, _, right = torch.linalg.svd(matrices.double(), full_matrices=False)
    return (left @ right).float()


@pytest.mark.parametrize("shape", [(8, 8), (48, 16), (16, 48), (3, 20, 12)])
def test_products_alone_find_the_polar_factor_of_a_singular_value_decomposition(shape):
    given = torch.randn(shape, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(orthogonal(given[None], 8)[0], _polar(given), atol=1e-4, rtol=0)
    assert float((orthogonal(given[None], 6)[0] - _polar(given)).abs().max()) < 0.01
    for values in (orthogonal(given[None], 5), orthogonal(given[None], 5, torch.bfloat16)):
        found = torch.linalg.svdvals(values.double())
        assert 0.8 < float(found.min()) <= float(found.max()) < 1.15


def test_a_gradient_of_zero_or_of_any_size_has_a_finite_polar_factor():
    given = torch.randn(1, 6, 4, generator=torch.Generator().manual_seed(3))
    assert torch.equal(orthogonal(given * 0, 5), given * 0)
    torch.testing.assert_close(orthogonal(given * 1e-12, 6), orthogonal(given, 6), atol=1e-4, rtol=0)


def test_muon_turns_the_matrices_of_blocks_and_leaves_the_rest_toadamw_by_hand():
    model, before, given = two_steps(kind="muon", iterations=8)
    expected = {}
    for name, w in before.items():
        gradients = [g[name] for g in given]
        if name not in ("tall", "wide", "experts"):
            expected[name] = adamw_by_hand(w, gradients, (0.9, 0.95))
            continue
        momentum = torch.zeros_like(w)
        for g in gradients:
            momentum = 0.95 * momentum + 0.05 * g
            size = 0.2 * math.sqrt(max(w.shape[-2:]))
            w = w * (1 - RATE * DECAY) - RATE * size * _polar(0.95 * momentum + 0.05 * g)
        expected[name] = w
    same(model, expected, tolerance=1e-5)


def _update(kind: str, width: int) -> torch.Tensor:
    """Return the first update of a square matrix under CompleteP, whose base width is 16."""
    model = nn.Module()
    model.inner = matrix(width, width, Parametrisation("completep", width / 16, 1.0))
    with torch.no_grad():
        model.inner.zero_()
    draw = torch.Generator().manual_seed(width)
    sides = [torch.randn(width, 3, generator=draw) for _ in range(2)]  # a batch of few tokens: low rank
    model.inner.grad = sides[0] @ sides[1].T
    Optim.choose({"kind": kind, "lr": RATE, "weight_decay": 0.0}).build(model).step()
    return model.inner.detach()


@pytest.mark.parametrize("kind", ["adamw", "adam", "adagrad", "lion", "adafactor"])
def test_updates_by_element_shrink_with_the_width_under_completep(kind):
    small, large = (float(_update(kind, width).square().mean().sqrt()) for width in (16, 256))
    assert large == pytest.approx(small / 16, rel=0.15)


@pytest.mark.parametrize("kind", ["adamw", "adam", "adagrad", "lion", "adafactor"])
def test_the_spectral_norm_of_updates_holds_over_widths_under_completep(kind):
    small, large = (float(torch.linalg.matrix_norm(_update(kind, width), 2)) for width in (16, 256))
    assert 0.5 < large / small < 2


@pytest.mark.parametrize("width", [64, 256])
def test_the_spectral_norm_of_an_orthogonal_update_holds_over_widths_under_completep(width):
    small, large = (float(torch.linalg.matrix_norm(_update("muon", size), 2)) for size in (16, width))
    assert large == pytest.approx(small, rel=0.15)


def test_decay_over_a_run_is_the_same_at_every_width():
    for kind in ("adam", "adagrad", "lion", "muon", "adafactor", "soap", "schedule_free_adamw"):
        wide = Tower(Parametrisation("completep", 8.0, 1.0).scaling(Role.MATRIX))
        optimiser = Optim.choose({"kind": kind, "lr": RATE, "weight_decay": DECAY}).build(wide)
        found = [g["peak"] * g["weight_decay"] for g in optimiser.param_groups if g["weight_decay"]]
        assert found == pytest.approx([RATE * DECAY] * len(found))


@pytest.mark.parametrize(
    "kind", ["adam", "adagrad", "lion", "muon", "adafactor", "soap", "schedule_free_adamw", "schedule_free_sgd"]
)
def test_a_training_that_is_stopped_and_started_again_ends_bit_for_bit_thesame(kind, tokens, tmp_path):
    plan = plan_of(steps=8, optim={"kind": kind})
    whole = train(plan, ONE, tokens, tmp_path / "whole")

    for last in (3, 5):

        def leave(event, last=last):
            if isinstance(event, Saved) and event.step == last:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            train(plan, ONE, tokens, tmp_path / "parts", watch=leave, checkpoint_seconds=0)
    train(plan, ONE, tokens, tmp_path / "parts", checkpoint_seconds=0)
    assert digest(tmp_path / "parts") == digest(whole.folder)
