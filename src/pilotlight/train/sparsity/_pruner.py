"""Masks over the matrices of a model, and how they are kept through updates."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pilotlight.model.weight import Role, role_of


def prunable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Return the matrices inside blocks by name, stacks of them too; kernels of one row are none."""
    return {
        name: parameter for name, parameter in model.named_parameters()
        if name.startswith("blocks.") and role_of(parameter) is Role.MATRIX
        and parameter.ndim >= 2 and min(parameter.shape[-2:]) > 1
    }  # fmt: skip


class Pruner(ABC):
    """Keeps weights of one training at zero; its masks go into every checkpoint.

    Where a mask is False the weight is zero, and so are its gradient, before anything looks at it, and its moments in
    the optimiser. So neither decay nor momentum brings a weight back; only a change of the mask does, from zero.
    """

    def __init__(self, matrices: Mapping[str, nn.Parameter], masks: Mapping[str, Tensor]) -> None:
        self.matrices = dict(matrices)
        self.masks = {name: masks[name].to(parameter.device) for name, parameter in matrices.items()}
        self.dense: dict[str, Tensor] = {}
        """Gradients before they were masked, where the next change of the masks asks for them."""
        self.clear()

    @abstractmethod
    def change(self, done: int) -> bool:
        """Return whether the masks were changed after update ``done`` (1 is the first). Pruned weights are cleared later."""

    def asks_for_gradients(self, done: int) -> bool:
        """Return whether the change after update ``done`` looks at the gradients of pruned weights."""
        del done
        return False

    @torch.no_grad()
    def mask_gradients(self, done: int) -> None:
        """Set the gradients of pruned weights to zero, before update ``done``."""
        self.dense.clear()
        keep = self.asks_for_gradients(done)
        for name, parameter in self.matrices.items():
            if parameter.grad is not None:
                if keep:
                    self.dense[name] = parameter.grad.clone()
                parameter.grad.masked_fill_(~self.masks[name], 0.0)

    @torch.no_grad()
    def after_update(self, done: int, optimiser: torch.optim.Optimizer) -> None:
        """Change the masks if that is due and set pruned weights and their moments to zero."""
        self.clear(optimiser)  # an update that is no sum over single weights moves pruned ones too
        if self.change(done):
            self.clear(optimiser)
        self.dense.clear()

    @torch.no_grad()
    def clear(self, optimiser: torch.optim.Optimizer | None = None) -> None:
        """Set pruned weights to zero, and what an optimiser keeps of them.

        State that is not in the coordinates of the weights (``turned`` of the optimiser) has no entry of a weight.
        """
        turned = getattr(optimiser, "turned", ())
        for name, parameter in self.matrices.items():
            pruned = ~self.masks[name]
            parameter.masked_fill_(pruned, 0.0)
            kept = optimiser.state.get(parameter, {}) if optimiser is not None else {}
            for what, value in kept.items():
                if isinstance(value, Tensor) and value.shape == parameter.shape and what not in turned:
                    value.masked_fill_(pruned, 0.0)

    def zero_share(self) -> float:
        """Return the share of the weights of the matrices inside blocks that are zero now."""
        zeros = sum(int((parameter == 0).sum()) for parameter in self.matrices.values())
        return zeros / max(1, sum(parameter.numel() for parameter in self.matrices.values()))

    def state(self) -> dict[str, Tensor]:
        """Return the masks by the names of the parameters, on the CPU."""
        return {name: mask.cpu().contiguous() for name, mask in self.masks.items()}

    def restore(self, masks: Mapping[str, Tensor] | None, optimiser: torch.optim.Optimizer) -> None:
        """Take over what ``state`` returned in an earlier process; None: the weights come from a dense training."""
        if masks is not None:
            self.masks = {name: masks[name].to(parameter.device) for name, parameter in self.matrices.items()}
        self.clear(optimiser)
