"""Adagrad's update; torch's own adds weight decay to the gradient."""

from __future__ import annotations

from typing import Any, final

from torch import Tensor

from pilotlight.train.optim._rule import UpdateRule, many


@final
class AdagradRule(UpdateRule):
    """Gradient / (root of the sum of all squares + epsilon), times the rate (Duchi et al. 2011, diagonal form)."""

    def update(self, group: dict[str, Any], parameters: list[Tensor], gradients: list[Tensor]) -> None:
        """Move the parameters; state: ``sum`` of squared gradients."""
        sums = self.kept("sum", parameters)
        many._foreach_addcmul_(sums, gradients, gradients)
        divisors = many._foreach_sqrt(sums)
        many._foreach_add_(divisors, group["eps"])
        many._foreach_addcdiv_(parameters, gradients, divisors, -group["lr"])
