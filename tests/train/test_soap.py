"""SOAP: against the paper's algorithm step by step, and the symmetry that its basis gives it."""

from __future__ import annotations

import math

import pytest
import torch
from optimiser_examples import RATE, Tower, adamw_by_hand, same
from torch import nn

from pilotlight.model.weight import Role, Start, weight
from pilotlight.train.optim import Optim


def _given(steps: int, *shape: int) -> list[torch.Tensor]:
    return [torch.randn(shape, generator=torch.Generator().manual_seed(step)) for step in range(steps)]


def _trained(given: list[torch.Tensor], start: torch.Tensor, **settings) -> torch.Tensor:
    model = nn.Module()
    model.inner = weight(*start.shape, start=Start("normal", 1.0), role=Role.MATRIX)
    with torch.no_grad():
        model.inner.copy_(start)
    optimiser = Optim.choose({"kind": "soap", "lr": RATE, "weight_decay": 0.0} | settings).build(model)
    for gradient in given:
        model.inner.grad = gradient.clone()
        optimiser.step()
    return model.inner.detach()


def _by_hand(given: list[torch.Tensor], w: torch.Tensor, every: int, beta: float = 0.95) -> torch.Tensor:
    """Return the weights after algorithm 3 of the paper in float64, its basis begun by the first gradient."""
    given, w = [g.double() for g in given], w.double()
    left, right = (1 - beta) * given[0] @ given[0].T, (1 - beta) * given[0].T @ given[0]
    q_left, q_right = (torch.linalg.eigh(side)[1].flip(1) for side in (left, right))
    first = second = torch.zeros_like(w)
    for step, g in enumerate(given[1:], start=1):
        first = beta * first + (1 - beta) * g
        second = beta * second + (1 - beta) * (q_left.T @ g @ q_right) ** 2
        turned = q_left.T @ first @ q_right / (1 - beta**step)
        n = turned / ((second / (1 - beta**step)).sqrt() + 1e-8)
        w = w - RATE * q_left @ n @ q_right.T
        left, right = beta * left + (1 - beta) * g @ g.T, beta * right + (1 - beta) * g.T @ g
        if step % every == 0:
            rows = torch.diag(q_left.T @ left @ q_left).argsort(descending=True)
            columns = torch.diag(q_right.T @ right @ q_right).argsort(descending=True)
            q_left = torch.linalg.qr(left @ q_left[:, rows])[0]
            q_right = torch.linalg.qr(right @ q_right[:, columns])[0]
            second = second[rows][:, columns]
    return w.float()


@pytest.mark.parametrize("every", [1, 3])
def test_it_is_algorithm_3_of_its_paper(every):
    given, start = _given(9, 5, 5), torch.ones(5, 5)
    torch.testing.assert_close(_trained(given, start, every=every), _by_hand(given, start, every), atol=2e-5, rtol=0)


def test_a_stack_of_matrices_is_trained_as_each_by_itself():
    given, start = _given(7, 3, 4, 5), torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(9))
    alone = [_trained([g[number] for g in given], start[number], every=2) for number in range(3)]
    torch.testing.assert_close(_trained(given, start, every=2), torch.stack(alone), atol=1e-5, rtol=0)


def test_rotated_gradients_give_a_rotated_training_which_adam_does_not():
    draw = torch.Generator().manual_seed(4)
    left, right = (torch.linalg.qr(torch.randn(size, size, generator=draw))[0] for size in (5, 5))
    given, start = _given(8, 5, 5), torch.zeros(5, 5)
    turned = [left @ g @ right.T for g in given]
    expected = left @ _trained(given, start, every=3) @ right.T
    torch.testing.assert_close(_trained(turned, start, every=3), expected, atol=1e-4, rtol=0)
    neither = {"every": 3, "largest_side": 1}
    adam = left @ _trained(given, start, **neither) @ right.T
    assert float((_trained(turned, start, **neither) - adam).abs().max()) > RATE / 2


def test_sides_that_are_too_long_are_not_rotated_which_leaves_adam_from_the_second_gradient_on():
    given, start = _given(5, 4, 6), torch.ones(4, 6)
    expected = adamw_by_hand(start, given[1:], (0.95, 0.95), decay=0.0)
    torch.testing.assert_close(_trained(given, start, largest_side=3), expected, atol=2e-6, rtol=0)


def test_one_long_side_leaves_the_other_rotated():
    model = Tower()
    optimiser = Optim.choose({"kind": "soap", "largest_side": 4}).build(model)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    optimiser.step()
    assert set(optimiser.state[model.tall]) == {"step", "first", "second", "right", "right_basis"}


def test_what_is_no_matrix_of_a_block_follows_adamw():
    model = Tower()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimiser = Optim.choose({"kind": "soap", "lr": RATE, "weight_decay": 0.0}).build(model)
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 0.3)
    optimiser.step()
    others = ("kernel", "table", "gain", "output")
    same(model, {name: adamw_by_hand(before[name], [torch.full_like(before[name], 0.3)], (0.95, 0.95), decay=0.0)
                 for name in others})  # fmt: skip
    assert torch.equal(model.tall, before["tall"])


def test_gradients_of_zero_move_nothing_and_break_nothing():
    found = _trained([torch.zeros(4, 5)] * 4, torch.ones(4, 5), every=1)
    assert torch.equal(found, torch.ones(4, 5))
    assert math.isfinite(float(_trained([torch.zeros(4, 5), *_given(4, 4, 5)], torch.ones(4, 5), every=1).sum()))
