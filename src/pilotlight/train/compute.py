"""The function from rows to losses, in the plan's precision, compiled where the machine asks for it."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from functools import partial

import torch

from pilotlight.events import Note, Watcher
from pilotlight.model.decoder_layer import DecoderModel
from pilotlight.train.machine import Machine
from pilotlight.train.plan import Plan

_SHAPES = 1024
"""Graphs of one function that are kept: a worker trains many shapes, each with and without gradient."""


def losses(plan: Plan, machine: Machine, model: DecoderModel, watch: Watcher) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the function from rows [batch context+1] to float32 nats [batch context], with gradient.

    ``model`` itself is never compiled, so that it takes rows of any shape as before. One that cannot be compiled here
    runs as it is, and the watcher is told.
    """
    objective = plan.train.objective.build()
    if not machine.compile:
        return partial(objective, model)
    rows = min(machine.rows_at_once or plan.train.rows, plan.train.rows)
    example = torch.zeros(rows, plan.train.context + 1, dtype=torch.int64, device=machine.device)
    try:
        _keep_all_graphs()
        compiled = partial(objective, _compiled(model))
        _warm_up(compiled, example)
    except Exception as error:  # whatever stops a compiler is no reason to stop a training
        watch(Note(f"this machine cannot compile the model ({type(error).__name__}); it runs uncompiled, slower. "
                   "Install a C++ compiler, or set machine.compile to false.", "warning"))  # fmt: skip
        return partial(objective, model)
    finally:
        model.zero_grad(set_to_none=True)
    return compiled


def _compiled(model: DecoderModel) -> DecoderModel:
    """Return a model of the same parameters whose parts are compiled."""
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    found = copy.deepcopy(model, shared)
    found.compile_parts()
    return found


def _warm_up(compiled: Callable[[torch.Tensor], torch.Tensor], example: torch.Tensor) -> None:
    """Compile for training and for evaluation, which has no gradient and so a graph of its own."""
    with warnings.catch_warnings():
        # torch looks at the gradient of a block's input while it compiles, and warns itself about it.
        warnings.filterwarnings("ignore", r"The \.grad attribute of a Tensor")
        compiled(example).sum().backward()
        with torch.no_grad():
            compiled(example)


def _keep_all_graphs() -> None:
    """Let many shapes be compiled in one process: past its limit, 8 by default, the compiler would stop silently."""
    from torch._dynamo import config

    config.recompile_limit = max(config.recompile_limit, _SHAPES)
    config.accumulated_recompile_limit = max(config.accumulated_recompile_limit, _SHAPES)
    config.fail_on_recompile_limit_hit = True
