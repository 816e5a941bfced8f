"""Which parameters share a learning rate, a weight decay and an epsilon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pilotlight.model.weight import role_of, scaling_of

if TYPE_CHECKING:
    import torch

    from pilotlight.train.optim import Optim


def parameter_groups(model: torch.nn.Module, optim: Optim, *, eps: float | None = None) -> list[dict[str, Any]]:
    """Return parameter groups by equal settings, as torch optimisers take them.

    Each parameter's scaling (set by the model: muP, CompleteP) multiplies the learning rate, the weight decay and
    ``eps``; then come the settings of its role. ``peak`` keeps the rate before the schedule, ``scale`` the factor of the
    rate that the model asks for.
    """
    groups: dict[tuple[float, ...], dict[str, Any]] = {}
    for parameter in model.parameters():
        if not parameter.requires_grad:
            continue
        scale, role = scaling_of(parameter), role_of(parameter)
        rate = optim.lr * scale.lr * optim.roles.of(role).lr_factor
        decay = _decay(parameter, optim, rate)
        small = (eps or 0.0) * scale.eps
        mark = (rate, decay, small, scale.lr)
        if mark not in groups:
            groups[mark] = {"params": [], "lr": rate, "peak": rate, "weight_decay": decay, "scale": scale.lr}
            if eps is not None:
                groups[mark]["eps"] = small
        groups[mark]["params"].append(parameter)
    return list(groups.values())


def _decay(parameter: torch.Tensor, optim: Optim, rate: float) -> float:
    """Return the weight decay of a parameter that is trained at ``rate``, as a factor of that rate."""
    role = role_of(parameter)
    own = optim.roles.of(role).weight_decay
    decay = (optim.weight_decay if role in optim.decayed else 0.0) if own is None else own
    if optim.decay_rule == "independent":  # at every width the same share of a weight goes: nothing to scale
        return decay / rate if rate else 0.0
    return decay * scaling_of(parameter).weight_decay
