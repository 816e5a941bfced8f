"""What single layers do at a step: activations, gradients, updates, units that are dead. Read, never changed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, final

import torch
from torch import Tensor, nn

from pilotlight.model.weight import Role, role_of
from pilotlight.train.asked import Asked
from pilotlight.train.events import Probed
from pilotlight.train.finish import finite
from pilotlight.train.state import Job, State

_ROWS = 2  # activations of a few rows tell the size, for an eighth of a forward pass


def probes_now(job: Job, done: int) -> bool:
    """Return whether layers are looked at in update ``done``: every so often as the machine says, or at evaluations."""
    every = job.machine.probe_every
    if every is None:
        return done == job.plan.steps or done % job.plan.evaluate_every == 0
    return every > 0 and done % every == 0


@final
class Probe:
    """One look at all layers, begun when the gradient is there and ended when the update is done.

    A layer is a block, or a parameter outside of them. Costs a copy of the weights and a forward pass of two rows.
    """

    def __init__(self, model: nn.Module) -> None:
        self._before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
        self._gradients = _norms({name: parameter.grad for name, parameter in model.named_parameters()})
        self._dead = _dead(model)

    def found(self, state: State, asked: Asked) -> Probed:
        """Return what was seen, now that the update is done; ``asked`` is the batch of the step."""
        named = dict(state.model.named_parameters())
        weights = _norms(dict(self._before))
        moves = _norms({name: parameter.detach() - self._before[name] for name, parameter in named.items()})
        ratios = {layer: moves[layer] / norm for layer, norm in weights.items()}
        groups = {"activation_rms": _activations(state.model, asked.part(0, _ROWS)), "gradient_norm": self._gradients,
                  "update_ratio": ratios, "dead_units": self._dead}  # fmt: skip
        flat = torch.stack([value.float() for group in groups.values() for value in group.values()]).tolist()
        read = iter(flat)  # one wait for the device
        numbers = {name: finite({layer: next(read) for layer in group}) for name, group in groups.items()}
        return Probed(step=state.step, **numbers)


def tell(job: Job, state: State, probe: Probe, asked: Asked) -> None:
    """Enter what ``probe`` saw into the metrics and tell the watcher."""
    found = probe.found(state, asked)
    state.log.add({"kind": "probe", "step": found.step, "activation_rms": found.activation_rms,
                   "gradient_norm": found.gradient_norm, "update_ratio": found.update_ratio,
                   "dead_units": found.dead_units})  # fmt: skip
    job.watch(found)


def layer_of(name: str) -> str:
    """Return the layer of a parameter: ``blocks.3`` of everything in the fourth block, else the first word."""
    first, _, rest = name.partition(".")
    return f"{first}.{rest.partition('.')[0]}" if first == "blocks" else first


def _norms(tensors: dict[str, Tensor | None]) -> dict[str, Tensor]:
    """Return the norm of all tensors of each layer together."""
    layers: dict[str, list[Tensor]] = {}
    for name, tensor in tensors.items():
        if tensor is not None:
            layers.setdefault(layer_of(name), []).append(tensor)
    return {layer: nn.utils.get_total_norm(found) for layer, found in layers.items()}


def _dead(model: nn.Module) -> dict[str, Tensor]:
    """Return, for each block, the share of the units of its worst matrix that got no gradient at all."""
    found: dict[str, Tensor] = {}
    for name, parameter in model.named_parameters():
        if name.startswith("blocks.") and parameter.grad is not None and role_of(parameter) == Role.MATRIX:
            share = (parameter.grad.abs().amax(dim=-1) == 0).float().mean()
            layer = layer_of(name)
            found[layer] = torch.maximum(found[layer], share) if layer in found else share
    return found


@torch.no_grad()
def _activations(model: Any, asked: Asked) -> dict[str, Tensor]:
    """Return the root mean square of what each block gives to the next one, nothing dropped."""
    seen: dict[str, Tensor] = {}

    def keep(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: Any, output: Tensor) -> None:
            seen[name] = output.float().square().mean().sqrt()

        return hook

    with ExitStack() as hooks:
        for number, block in enumerate(model.blocks):
            hooks.callback(block.register_forward_hook(keep(f"blocks.{number}")).remove)
        model.hidden(asked.inputs, asked.rows._replace(seeds=None, training=False))
    return seen
