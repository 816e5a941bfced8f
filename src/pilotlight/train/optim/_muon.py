"""Muon's update beside AdamW's, in one optimiser, so that one state is saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, final

import torch
from torch import Tensor

from pilotlight.train.optim._orthogonal import orthogonal
from pilotlight.train.optim._rule import UpdateRule, many

if TYPE_CHECKING:
    from pilotlight.train.optim.muon import Muon as Settings

_ROOT_MEAN_SQUARE = 0.2  # of AdamW's updates over a training, arXiv 2502.16982, section 2.2


@final
class MuonRule(UpdateRule):
    """Orthogonalised Nesterov momentum for the groups marked ``matrices``, fused AdamW for the others."""

    def __init__(self, groups: list[dict[str, Any]], settings: Settings, *, dtype: torch.dtype | None = None) -> None:
        super().__init__(groups, settings.lr)
        self.settings = settings
        self.dtype = dtype or torch.float32

    def update(self, group: dict[str, Any], parameters: list[Tensor], gradients: list[Tensor]) -> None:
        """Move the parameters; state: ``momentum`` of the matrices, ``first``, ``second`` and ``step`` of the others."""
        if not group["matrices"]:
            self.adamw(group, parameters, gradients, self.settings.betas)
            return
        momenta = self.kept("momentum", parameters)
        many._foreach_lerp_(momenta, gradients, 1.0 - self.settings.momentum)
        ahead = many._foreach_lerp(gradients, momenta, self.settings.momentum)
        # muP's rate of a matrix, 1 / m_N, is for updates of low rank and takes too much from those of full rank, whose
        # spectral norm is smaller by the root of the width: at the base shape ``reach`` is 1.
        reach = group["scale"] ** -0.5
        alike: dict[torch.Size, list[int]] = {}
        for number, parameter in enumerate(parameters):
            alike.setdefault(parameter.shape, []).append(number)
        for shape, numbers in alike.items():
            turned = orthogonal(
                torch.stack([ahead[number] for number in numbers]), self.settings.iterations, self.dtype
            )
            rate = group["lr"] * reach * _ROOT_MEAN_SQUARE * max(shape[-2:]) ** 0.5
            many._foreach_add_([parameters[number] for number in numbers], list(turned.unbind()), alpha=-rate)
