"""What the update rules that torch lacks have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from pilotlight.model.weight import Role, role_of

many: Any = torch
"""Where ``_foreach_*`` are: operations on lists of tensors, of which torch's own optimisers are made."""


class UpdateRule(torch.optim.Optimizer, ABC):
    """A torch optimiser whose weights first decay (decoupled, arXiv 1711.05101) and then move by ``update``.

    Its state is tensors by parameter, made at the parameter's first gradient.
    """

    def __init__(self, groups: list[dict[str, Any]], lr: float) -> None:
        super().__init__(groups, {"lr": lr, "weight_decay": 0.0})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the loss of ``closure``, if there is one, after an update of every parameter with a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            moved = [parameter for parameter in group["params"] if parameter.grad is not None]
            if not moved:
                continue
            if group["weight_decay"]:
                self.decay(group, moved)
            self.update(group, moved, [parameter.grad for parameter in moved])
        return loss

    def decay(self, group: dict[str, Any], parameters: list[Tensor]) -> None:
        """Shrink the parameters by the group's rate times its decay, before they move."""
        many._foreach_mul_(parameters, 1.0 - group["lr"] * group["weight_decay"])

    @abstractmethod
    def update(self, group: dict[str, Any], parameters: list[Tensor], gradients: list[Tensor]) -> None:
        """Move the parameters of a group by their gradients, which stay as they are."""

    def kept(self, name: str, parameters: list[Tensor]) -> list[Tensor]:
        """Return the state ``name`` of each parameter, of the parameter's shape and zero at first."""
        found: list[Tensor] = []
        for parameter in parameters:
            state = self.state[parameter]
            if name not in state:
                state[name] = torch.zeros_like(parameter)
            found.append(state[name])
        return found

    def adamw(self, group: dict[str, Any], parameters: list[Tensor], gradients: list[Tensor],
              betas: tuple[float, float]) -> None:  # fmt: skip
        """Move the parameters as AdamW does, without decay; state: ``first``, ``second`` and ``step``.

        ``group["fused"]`` has to be True, for which ``load_state_dict`` puts ``step`` where the kernel wants it.
        """
        for parameter in parameters:
            if "step" not in self.state[parameter]:
                self.state[parameter]["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
        adamw(
            parameters, gradients, self.kept("first", parameters), self.kept("second", parameters), [],
            [self.state[parameter]["step"] for parameter in parameters], fused=True, amsgrad=False, beta1=betas[0],
            beta2=betas[1], lr=group["lr"], weight_decay=0.0, eps=group["eps"], maximize=False,
        )  # fmt: skip


def matrices_apart(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the groups, each split into matrices of blocks (``matrices`` is True) and all others, which follow AdamW.

    A stack of matrices counts as matrices; a kernel of one row does not.
    """
    found: list[dict[str, Any]] = []
    for group in groups:
        matrices = [parameter for parameter in group["params"] if _is_matrix(parameter)]
        others = [parameter for parameter in group["params"] if not _is_matrix(parameter)]
        if matrices:
            found.append(group | {"params": matrices, "matrices": True})
        if others:
            found.append(group | {"params": others, "matrices": False, "fused": True})
    return found


def _is_matrix(parameter: Tensor) -> bool:
    return role_of(parameter) is Role.MATRIX and parameter.ndim >= 2 and min(parameter.shape[-2:]) > 1
