"""Losses and gradients by hand against autograd of the plain formula."""

import pytest
import torch

from pilotlight.model.cross_entropy import CHUNK, Shape, token_losses

VOCABULARY, WIDTH = 40, 12
SHAPES = [Shape(), Shape(factor=0.25), Shape(cap=1.5), Shape(z_loss=0.3), Shape(factor=2.0, cap=3.0, z_loss=0.1)]


def draw(rows, dtype=torch.float32):
    generator = torch.Generator().manual_seed(rows)
    hidden, matrix = torch.randn(rows, WIDTH, generator=generator), torch.randn(VOCABULARY, WIDTH, generator=generator)
    targets = torch.randint(VOCABULARY, (rows,), generator=generator)
    return hidden.to(dtype).requires_grad_(), matrix.requires_grad_(), targets


def plain(hidden, matrix, targets, shape):
    logits = (hidden.double() @ matrix.double().t()) * shape.factor
    if shape.cap is not None:
        logits = shape.cap * (logits / shape.cap).tanh()
    denominator = logits.exp().sum(-1).log()
    return denominator - logits[torch.arange(len(targets)), targets] + shape.z_loss * denominator.square()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [1, 7, CHUNK + 5])
def test_losses_and_gradients_are_those_of_the_formula(rows, shape):
    hidden, matrix, targets = draw(rows)
    other_hidden, other_matrix, _ = draw(rows)
    weights = torch.rand(rows, generator=torch.Generator().manual_seed(1))
    losses, expected = token_losses(hidden, matrix, targets, shape), plain(other_hidden, other_matrix, targets, shape)
    assert losses.dtype == torch.float32
    torch.testing.assert_close(losses, expected.float(), atol=1e-5, rtol=1e-5)
    (losses * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(hidden.grad, other_hidden.grad, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(matrix.grad, other_matrix.grad, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shape", SHAPES)
def test_without_gradient_the_losses_are_the_same(shape):
    hidden, matrix, targets = draw(9)
    with torch.no_grad():
        bare = token_losses(hidden, matrix, targets, shape)
    torch.testing.assert_close(bare, token_losses(hidden, matrix, targets, shape).detach(), atol=0, rtol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_bf16_is_close(shape):
    hidden, matrix, targets = draw(30, torch.bfloat16)
    losses = token_losses(hidden, matrix, targets, shape)
    assert losses.dtype == torch.float32
    losses.sum().backward()
    assert hidden.grad.dtype == torch.bfloat16
    assert matrix.grad.dtype == torch.float32
    torch.testing.assert_close(losses.double(), plain(hidden, matrix, targets, shape), atol=0.1, rtol=0.03)


def test_huge_logits_give_finite_losses_and_gradients():
    hidden, matrix, targets = draw(5)
    losses = token_losses(hidden * 1e4, matrix, targets)
    losses.sum().backward()
    assert losses.isfinite().all()
    assert hidden.grad.isfinite().all()


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_the_compiled_form_agrees(shape):
    torch.compiler.reset()
    hidden, matrix, targets = draw(20)
    other_hidden, other_matrix, _ = draw(20)
    compiled = torch.compile(token_losses, dynamic=False)(hidden, matrix, targets, shape)
    eager = token_losses(other_hidden, other_matrix, targets, shape)
    torch.testing.assert_close(compiled, eager, atol=1e-5, rtol=1e-5)
    compiled.sum().backward()
    eager.sum().backward()
    torch.testing.assert_close(hidden.grad, other_hidden.grad, atol=1e-5, rtol=1e-4)
