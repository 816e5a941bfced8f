"""The updates of schedule-free training: gradients at one point, evaluation at another."""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor

from pilotlight.train.optim._rule import UpdateRule, many


@final
class ScheduleFreeRule(UpdateRule):
    """Base points z move by the gradient, their average x is the result, and gradients are taken between the two.

    The model holds y = (1 - ``momentum``) z + ``momentum`` x (Defazio et al. 2024, arXiv 2405.15682, equations 3 to 5);
    x_(t+1) = (1 - c) x_t + c z_(t+1), where c is the square of the largest rate so far over the sum of such squares, so
    that steps of the warmup count less. With ``beta`` directions are gradients over the root of their second moment.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float, momentum: float, *, beta: float | None = None) -> None:
        super().__init__(groups, lr)
        self.momentum = momentum
        self.beta = beta

    def decay(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Do nothing: the decay is a part of the direction, which moves z and y."""

    def update(self, group: dict[str, Any], parameters: list[Tensor], gradients: list[Tensor]) -> None:
        """Move the parameters, y; state: ``base``, which is z, ``second`` and ``step``."""
        alike: dict[tuple[int, float], list[int]] = {}
        for number, parameter in enumerate(parameters):
            alike.setdefault(self._count(parameter, group["lr"]), []).append(number)
        for (step, share), numbers in alike.items():
            points = [parameters[number] for number in numbers]
            directions = self._directions(group, points, [gradients[number] for number in numbers], step)
            if group["weight_decay"]:
                directions = many._foreach_add(directions, points, alpha=group["weight_decay"])
            bases = [self.state[point]["base"] for point in points]
            many._foreach_lerp_(points, bases, share)
            many._foreach_add_(points, directions, alpha=group["lr"] * (self.momentum * (1.0 - share) - 1.0))
            many._foreach_add_(bases, directions, alpha=-group["lr"])

    def _count(self, parameter: Tensor, rate: float) -> tuple[int, float]:
        """Return the number of this step, from 1, and the share of its base point in the average."""
        state = self.state[parameter]
        if "step" not in state:
            state["base"] = parameter.clone()
            # Steps, largest rate, sum of squares: under the one name whose numbers loading does not round to float32.
            state["step"] = torch.zeros(3, dtype=torch.float64)
        steps, largest, total = state["step"].tolist()
        largest = max(largest, rate)
        total += largest**2
        state["step"] = torch.tensor([steps + 1, largest, total], dtype=torch.float64)
        return int(steps) + 1, largest**2 / total if total else 0.0

    def _directions(
        self, group: dict[str, Any], points: list[Tensor], gradients: list[Tensor], step: int
    ) -> list[Tensor]:
        if self.beta is None:
            return gradients
        seconds = self.kept("second", points)
        many._foreach_mul_(seconds, self.beta)
        many._foreach_addcmul_(seconds, gradients, gradients, 1.0 - self.beta)
        divisors = many._foreach_div(seconds, 1.0 - self.beta**step)
        many._foreach_sqrt_(divisors)
        many._foreach_add_(divisors, group["eps"])
        return many._foreach_div(gradients, divisors)

    def evaluation_weights(self) -> list[tuple[Tensor, Tensor]]:
        """Return each parameter with its average x: what the training has reached."""
        found: list[tuple[Tensor, Tensor]] = []
        for group in self.param_groups:
            for parameter in group["params"]:
                if "base" in self.state.get(parameter, {}):
                    base = self.state[parameter]["base"]
                    found.append((parameter, parameter.detach().lerp(base, 1.0 - 1.0 / self.momentum)))
        return found
