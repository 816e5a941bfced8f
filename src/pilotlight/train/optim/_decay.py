"""Weight decay by a rule that is not the optimiser's own: what happens before and after each of its steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from pilotlight.train.optim._rule import many

if TYPE_CHECKING:
    from pilotlight.train.optim import Optim


def with_rule(optimiser: torch.optim.Optimizer, settings: Optim) -> torch.optim.Optimizer:
    """Return ``optimiser``, whose parameters now decay by the rule of ``settings``.

    Where the rule is the optimiser's own, or is told by the group's number alone, nothing is added. Elsewhere the decay
    moves from a group's ``weight_decay``, which becomes 0, to its ``decay``.
    """
    rule = "decoupled" if settings.decay_rule == "independent" else settings.decay_rule
    if rule == settings.own_decay or not any(group["weight_decay"] for group in optimiser.param_groups):
        return optimiser
    for group in optimiser.param_groups:
        group["decay"], group["weight_decay"] = group["weight_decay"], 0.0
    if rule == "gradient":
        optimiser.register_step_pre_hook(_into_gradients)
    elif rule == "decoupled":
        optimiser.register_step_pre_hook(_shrink)
    else:
        _decay_cautiously(optimiser)
    return optimiser


def _decaying(optimiser: torch.optim.Optimizer) -> list[tuple[dict[str, Any], list[Tensor]]]:
    found: list[tuple[dict[str, Any], list[Tensor]]] = []
    for group in optimiser.param_groups:
        moved = [parameter for parameter in group["params"] if parameter.grad is not None]
        if group["decay"] and moved:
            found.append((group, moved))
    return found


@torch.no_grad()
def _into_gradients(optimiser: torch.optim.Optimizer, *_: Any) -> None:
    for group, moved in _decaying(optimiser):
        many._foreach_add_([parameter.grad for parameter in moved], moved, alpha=group["decay"])


@torch.no_grad()
def _shrink(optimiser: torch.optim.Optimizer, *_: Any) -> None:
    for group, moved in _decaying(optimiser):
        many._foreach_mul_(moved, 1.0 - group["lr"] * group["decay"])


def _decay_cautiously(optimiser: torch.optim.Optimizer) -> None:
    """Let weights decay where the step has moved them towards zero: of what the step did, only the weights tell."""
    before: list[list[Tensor]] = []

    @torch.no_grad()
    def remember(optimiser: torch.optim.Optimizer, *_: Any) -> None:
        before[:] = [[parameter.clone() for parameter in moved] for _, moved in _decaying(optimiser)]

    @torch.no_grad()
    def shrink(optimiser: torch.optim.Optimizer, *_: Any) -> None:
        for (group, moved), earlier in zip(_decaying(optimiser), before, strict=True):
            for parameter, old in zip(moved, earlier, strict=True):
                inwards = (old - parameter) * old > 0
                parameter.sub_(old * inwards, alpha=group["lr"] * group["decay"])
        before.clear()

    optimiser.register_step_pre_hook(remember)
    optimiser.register_step_post_hook(shrink)
