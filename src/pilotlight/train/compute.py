"""The function from what is asked to losses, in the plan's precision, compiled where the machine asks for it."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from pilotlight.events import Note, Watcher
from pilotlight.model.decoder_layer import DecoderModel
from pilotlight.train.asked import Asked, Losses
from pilotlight.train.batch import Drawn, examples_of, row_seeds
from pilotlight.train.examples import Vocabulary
from pilotlight.train.machine import Machine
from pilotlight.train.plan import Plan
from pilotlight.train.seat import here

_SHAPES = 1024
"""Graphs of one function that are kept: a worker trains many shapes, each with and without gradient."""


def losses(plan: Plan, machine: Machine, model: DecoderModel, watch: Watcher) -> Losses:
    """Return the function from what is asked to float32 nats [batch context], with gradient.

    ``model`` itself is never compiled, so that it takes rows of any shape as before. One that cannot be compiled here
    runs as it is, and the watcher is told. A training that is computed together with others asks for its losses there.
    """
    if (seat := here()) is not None:
        return seat.losses(model)
    objective = plan.train.objective
    eager = partial(_losses, objective.losses, model)
    if not machine.compile:
        return eager
    rows = min(machine.rows_at_once or plan.train.rows, plan.train.rows)
    try:
        keep_all_graphs()
        compiled = partial(_losses, objective.losses, _compiled(model))
        _warm_up(compiled, *like(plan, rows, model.vocabulary, machine.device))
    except Exception as error:  # whatever stops a compiler is no reason to stop a training
        watch(Note(f"this machine cannot compile the model ({type(error).__name__}); it runs uncompiled, slower. "
                   "Install a C++ compiler, or set machine.compile to false.", "warning"))  # fmt: skip
        return eager
    finally:
        model.zero_grad(set_to_none=True)
    return compiled


def _losses(of: Callable[..., torch.Tensor], model: DecoderModel, asked: Asked) -> torch.Tensor:
    return of(model, asked.inputs, asked.targets, asked.rows)


def like(plan: Plan, rows: int, ids: int, device: str) -> tuple[Asked, Asked]:
    """Return what a batch in training and one in evaluation look like, with made-up text."""
    shape = (rows, plan.train.context + 1)
    size = ids - plan.train.extra_ids
    vocabulary = Vocabulary(size, 0, size)
    documents = np.zeros(shape, dtype=np.int64) if plan.train.documents == "separate" else None
    text = Drawn(np.ones(shape, dtype=np.int64), np.ones((rows, plan.train.context), dtype=np.float32), documents)
    training = examples_of(plan, text, 0, vocabulary)
    held_out = plan.train.objective.questions(text.rows, text.weights > 0, vocabulary)
    seeds = row_seeds(plan, 0, rows)
    return Asked.of(training, device, training=True, seeds=seeds), Asked.of(held_out, device)


def _compiled(model: DecoderModel) -> DecoderModel:
    """Return a model of the same parameters whose parts are compiled."""
    shared = {id(tensor): tensor for tensor in (*model.parameters(), *model.buffers())}
    found = copy.deepcopy(model, shared)
    found.compile_parts()
    return found


def _warm_up(compiled: Losses, training: Asked, held_out: Asked) -> None:
    """Compile for training and for evaluation, which has no gradient and so a graph of its own."""
    with warnings.catch_warnings():
        # torch looks at the gradient of a block's input while it compiles, and warns itself about it.
        warnings.filterwarnings("ignore", r"The \.grad attribute of a Tensor")
        compiled(training).sum().backward()
        with torch.no_grad():
            compiled(held_out)


def keep_all_graphs() -> None:
    """Let many shapes be compiled in one process: past its limit, 8 by default, the compiler would stop silently."""
    from torch._dynamo import config

    config.recompile_limit = max(config.recompile_limit, _SHAPES)
    config.accumulated_recompile_limit = max(config.accumulated_recompile_limit, _SHAPES)
    config.fail_on_recompile_limit_hit = True
