"""Adafactor's update; torch's own takes its rate from the size of the weights, which grows otherwise with the width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from pilotlight.train.optim._rule import UpdateRule

if TYPE_CHECKING:
    from pilotlight.train.optim.adafactor import Adafactor as Settings


@final
class AdafactorRule(UpdateRule):
    """Gradient / root of (row x column / mean of the rows), clipped by its root mean square, times the rate."""

    def __init__(self, groups: list[dict[str, Any]], settings: Settings) -> None:
        super().__init__(groups, settings.lr)
        self.settings = settings

    def update(self, group: dict[str, Any], parameters: list[Tensor], gradients: list[Tensor]) -> None:
        """Move the parameters; state: ``step``, ``row`` and ``column``, or ``second`` of a vector, and ``momentum``."""
        for parameter, gradient in zip(parameters, gradients, strict=True):
            direction = gradient * self._inverse_root(parameter, gradient)
            size = direction.square().mean().sqrt()
            direction /= (size / self.settings.clip).clamp(min=1.0)
            if self.settings.momentum:
                (momentum,) = self.kept("momentum", [parameter])
                direction = momentum.lerp_(direction, 1.0 - self.settings.momentum)
            parameter.add_(direction, alpha=-group["lr"])

    def _inverse_root(self, parameter: Tensor, gradient: Tensor) -> Tensor:
        """Return one over the root of the second moment, after ``gradient`` has entered it."""
        state = self.state[parameter]
        if "step" not in state:  # on the CPU: the share below is a number, for which no device is waited
            state["step"] = torch.zeros((), dtype=torch.float32)
        state["step"] += 1
        new = float(state["step"]) ** -self.settings.decay
        squared = gradient.square() + self.settings.eps
        if parameter.ndim < 2:
            (second,) = self.kept("second", [parameter])
            return second.lerp_(squared, new).rsqrt()
        rows, columns = squared.mean(-1, keepdim=True), squared.mean(-2, keepdim=True)
        if "row" not in state:
            state["row"], state["column"] = torch.zeros_like(rows), torch.zeros_like(columns)
        row, column = state["row"].lerp_(rows, new), state["column"].lerp_(columns, new)
        return (row / row.mean(-2, keepdim=True)).rsqrt() * column.rsqrt()
