"""The weights that are judged, where they are not those that gradients are taken at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import torch


@runtime_checkable
class Averaging(Protocol):
    """An optimiser whose result is not the weights it moves."""

    def evaluation_weights(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """Return parameters with the values to evaluate and to keep."""
        ...


@contextmanager
def evaluation_weights(optimiser: torch.optim.Optimizer) -> Iterator[None]:
    """Let the model hold what its optimiser has reached, for an evaluation or as the result.

    Afterwards it holds, bit for bit, what it held before: how often it is evaluated changes no training. Most optimisers
    keep no other weights, and then nothing happens. A checkpoint is saved outside of it.
    """
    if not isinstance(optimiser, Averaging):
        yield
        return
    found = optimiser.evaluation_weights()
    kept = [parameter.detach().clone() for parameter, _ in found]
    try:
        _fill(found)
        yield
    finally:
        _fill([(parameter, value) for (parameter, _), value in zip(found, kept, strict=True)])


@torch.no_grad()
def _fill(pairs: list[tuple[torch.Tensor, torch.Tensor]]) -> None:
    for parameter, value in pairs:
        parameter.copy_(value)
