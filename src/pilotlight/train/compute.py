"""The function from rows to losses, in the plan's precision, compiled where the machine asks for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from pilotlight.events import Note, Watcher
from pilotlight.train.machine import Machine
from pilotlight.train.plan import Plan


def losses(plan: Plan, machine: Machine, model: nn.Module, watch: Watcher) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return the function from rows [batch context+1] to float32 nats [batch context], with gradient.

    A model that cannot be compiled here runs as it is, and the watcher is told.
    """
    objective = plan.train.objective.build()
    if not machine.compile:
        return partial(objective, model)
    compiled = partial(objective, torch.compile(model, dynamic=False))
    rows = min(machine.rows_at_once or plan.train.rows, plan.train.rows)
    example = torch.zeros(rows, plan.train.context + 1, dtype=torch.int64, device=machine.device)
    try:
        compiled(example).sum().backward()
    except Exception as error:  # whatever stops a compiler is no reason to stop a training
        watch(Note(f"this machine cannot compile the model ({type(error).__name__}); it runs uncompiled, slower. "
                   "Install a C++ compiler, or set machine.compile to false.", "warning"))  # fmt: skip
        return partial(objective, model)
    finally:
        model.zero_grad(set_to_none=True)
    return compiled
