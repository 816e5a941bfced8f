"""A model with a parameter of every role, made-up gradients for it, and AdamW worked out by hand."""

from __future__ import annotations

import torch
from torch import nn

from pilotlight.model.weight import Role, Scaling, Start, weight
from pilotlight.train.optim import Optim

RATE, DECAY = 0.01, 0.5


class Tower(nn.Module):
    """A parameter of every role with values of its own."""

    def __init__(self, scaling: Scaling | None = None) -> None:
        super().__init__()
        start = Start("normal", 1.0)
        self.tall = weight(6, 4, start=start, role=Role.MATRIX, scaling=scaling)
        self.wide = weight(4, 6, start=start, role=Role.MATRIX, scaling=scaling)
        self.experts = weight(3, 4, 5, start=start, role=Role.MATRIX, scaling=scaling)
        self.kernel = weight(4, 1, 3, start=start, role=Role.MATRIX, scaling=scaling)
        self.table = weight(5, 4, start=start, role=Role.EMBEDDING)
        self.gain = weight(4, start=start, role=Role.VECTOR)
        self.output = weight(6, 4, start=start, role=Role.OUTPUT)
        with torch.no_grad():
            for number, parameter in enumerate(self.parameters()):
                parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(number)))


def gradients_of(model: nn.Module, step: int) -> dict[str, torch.Tensor]:
    """Return made-up gradients of a step by the parameters' names."""
    return {
        name: torch.randn(parameter.shape, generator=torch.Generator().manual_seed(100 * step + number)) * 0.3
        for number, (name, parameter) in enumerate(model.named_parameters())
    }


def two_steps(**settings) -> tuple[Tower, dict[str, torch.Tensor], list[dict[str, torch.Tensor]]]:
    """Return a model after two steps, its weights before them, and the gradients of both."""
    model = Tower()
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    optimiser = Optim.choose({"lr": RATE, "weight_decay": DECAY, "decayed": list(Role)} | settings).build(model)
    given = [gradients_of(model, step) for step in (1, 2)]
    for gradients in given:
        for name, parameter in model.named_parameters():
            parameter.grad = gradients[name].clone()
        optimiser.step()
    return model, before, given


def same(model: nn.Module, expected: dict[str, torch.Tensor], tolerance: float = 2e-6) -> None:
    """Check that the model's weights are as expected."""
    named = dict(model.named_parameters())
    for name, value in expected.items():
        torch.testing.assert_close(named[name].detach(), value, atol=tolerance, rtol=1e-5)


def adamw_by_hand(before, given, betas, eps=1e-8, decay=DECAY):
    """Return weights after the gradients ``given``, by algorithm 2 of Loshchilov and Hutter."""
    w, first, second = before, torch.zeros_like(before), torch.zeros_like(before)
    for step, g in enumerate(given, start=1):
        w = w - RATE * decay * w
        first = betas[0] * first + (1 - betas[0]) * g
        second = betas[1] * second + (1 - betas[1]) * g * g
        w = w - RATE * (first / (1 - betas[0] ** step)) / ((second / (1 - betas[1] ** step)).sqrt() + eps)
    return w
