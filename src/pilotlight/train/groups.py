"""Which parameters share a learning rate, a weight decay and an epsilon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilotlight.model.weight import role_of, scaling_of

if TYPE_CHECKING:
    import torch

    from pilotlight.train.optim import Optim


def parameter_groups(model: torch.nn.Module, optim: Optim, *, eps: float | None = None) -> list[dict[str, Any]]:
    """Return parameter groups by equal multipliers, as torch optimisers take them.

    Each parameter's scaling (set by the model: muP, CompleteP) multiplies the learning rate, the weight decay and
    ``eps``; a role outside ``optim.decayed`` gets no decay. ``peak`` keeps the rate before the schedule.
    """
    groups: dict[tuple[float, ...], dict[str, Any]] = {}
    for parameter in model.parameters():
        if not parameter.requires_grad:
            continue
        scaling = scaling_of(parameter)
        rate = optim.lr * scaling.lr
        decay = optim.weight_decay * scaling.weight_decay if role_of(parameter) in optim.decayed else 0.0
        small = (eps or 0.0) * scaling.eps
        if (rate, decay, small) not in groups:
            groups[rate, decay, small] = {"params": [], "lr": rate, "peak": rate, "weight_decay": decay}
            if eps is not None:
                groups[rate, decay, small]["eps"] = small
        groups[rate, decay, small]["params"].append(parameter)
    return list(groups.values())
