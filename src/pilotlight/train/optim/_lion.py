"""Lion's update."""

from __future__ import annotations

from typing import Any, final

from torch import Tensor

from pilotlight.train.optim._rule import UpdateRule, many


@final
class LionRule(UpdateRule):
    """The sign of beta1 momentum + (1 - beta1) gradient, times the rate (arXiv 2302.06675, algorithm 2)."""

    def __init__(self, groups: list[dict[str, Any]], lr: float, betas: tuple[float, float]) -> None:
        super().__init__(groups, lr)
        self.betas = betas

    def update(self, group: dict[str, Any], parameters: list[Tensor], gradients: list[Tensor]) -> None:
        """Move the parameters; state: ``momentum``."""
        momenta = self.kept("momentum", parameters)
        directions = many._foreach_lerp(momenta, gradients, 1.0 - self.betas[0])
        many._foreach_sign_(directions)
        many._foreach_add_(parameters, directions, alpha=-group["lr"])
        many._foreach_lerp_(momenta, gradients, 1.0 - self.betas[1])
