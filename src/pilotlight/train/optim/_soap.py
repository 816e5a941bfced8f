"""SOAP's update beside AdamW's, in one optimiser, so that one state is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, final

import torch
from torch import Tensor

from pilotlight.train.optim._rule import UpdateRule

if TYPE_CHECKING:
    from pilotlight.train.optim.soap import Soap as Settings


@final
class SoapRule(UpdateRule):
    """Adam on rotated gradients for the groups marked ``matrices``, fused AdamW for the others.

    State of a matrix [... rows columns]: ``first`` as the gradient is, ``second`` as it is when rotated, ``step``; and of
    each side that is rotated, ``left`` or ``right``, the average of G G^T or G^T G with the orthogonal ``..._basis``.
    """

    turned: ClassVar[frozenset[str]] = frozenset({"second", "left", "left_basis", "right", "right_basis"})
    """State of matrices whose entries do not belong to single weights."""

    def __init__(self, groups: list[dict[str, Any]], settings: Settings) -> None:
        super().__init__(groups, settings.lr)
        self.settings = settings

    def update(self, group: dict[str, Any], parameters: list[Tensor], gradients: list[Tensor]) -> None:
        """Move the parameters, matrices from their second gradient on."""
        if not group["matrices"]:
            self.adamw(group, parameters, gradients, self.settings.betas)
            return
        for parameter, gradient in zip(parameters, gradients, strict=True):
            state = self.state[parameter]
            if "step" not in state:
                self._begin(parameter, gradient)
            else:
                self._move(group, parameter, gradient)

    def _begin(self, parameter: Tensor, gradient: Tensor) -> None:
        """Make the basis from the first gradient."""
        state = self.state[parameter]
        state["step"] = torch.zeros((), dtype=torch.float32)  # on the CPU: no device is waited for
        self.kept("first", [parameter])
        self.kept("second", [parameter])
        for side, size in (("left", parameter.shape[-2]), ("right", parameter.shape[-1])):
            if size <= self.settings.largest_side:
                state[side] = _statistic(gradient, side) * (1.0 - self.settings.betas[1])
                state[f"{side}_basis"] = torch.linalg.eigh(state[side]).eigenvectors.flip(-1)

    def _move(self, group: dict[str, Any], parameter: Tensor, gradient: Tensor) -> None:
        state, betas = self.state[parameter], self.settings.betas
        state["step"] += 1
        step = int(state["step"])
        first = state["first"].lerp_(gradient, 1.0 - betas[0])
        second = state["second"].lerp_(_rotated(state, gradient).square(), 1.0 - betas[1])
        divisor = (second / (1.0 - betas[1] ** step)).sqrt_().add_(group["eps"])
        direction = _rotated(state, first).div_(divisor)
        parameter.add_(_rotated_back(state, direction), alpha=-group["lr"] / (1.0 - betas[0] ** step))
        for side in ("left", "right"):
            if side in state:
                state[side].lerp_(_statistic(gradient, side), 1.0 - betas[1])
                if step % self.settings.every == 0:
                    _turn(state, side)


def _statistic(gradient: Tensor, side: str) -> Tensor:
    return gradient @ gradient.mT if side == "left" else gradient.mT @ gradient


def _rotated(state: dict[str, Tensor], value: Tensor) -> Tensor:
    """Return Q_L^T ``value`` Q_R."""
    if "left" in state:
        value = state["left_basis"].mT @ value
    return value @ state["right_basis"] if "right" in state else value.clone()


def _rotated_back(state: dict[str, Tensor], value: Tensor) -> Tensor:
    """Return Q_L ``value`` Q_R^T."""
    if "left" in state:
        value = state["left_basis"] @ value
    return value @ state["right_basis"].mT if "right" in state else value


def _turn(state: dict[str, Tensor], side: str) -> None:
    """Bring the basis of a side closer to the eigenvectors of its statistic, in falling order of their values.

    The second moment moves with the order; signs of the basis do not matter to it.
    """
    statistic, basis = state[side], state[f"{side}_basis"]
    values = (basis * (statistic @ basis)).sum(-2)
    order = values.argsort(dim=-1, descending=True, stable=True)
    basis = torch.take_along_dim(basis, order.unsqueeze(-2), -1)
    state[f"{side}_basis"] = torch.linalg.qr(statistic @ basis).Q
    rows_or_columns = (order.unsqueeze(-1), -2) if side == "left" else (order.unsqueeze(-2), -1)
    state["second"] = torch.take_along_dim(state["second"], *rows_or_columns)
