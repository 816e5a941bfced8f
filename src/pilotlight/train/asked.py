"""The examples of a batch as tensors on the device, and the loss they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol, Self, final, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int

from pilotlight.model.layer import Rows
from pilotlight.train.examples import Examples


@final
class Asked(NamedTuple):
    """What a model is asked, and what each input may see."""

    inputs: Int[torch.Tensor, "rows context"]
    targets: Int[torch.Tensor, "rows context"]
    rows: Rows

    @classmethod
    def of(cls, examples: Examples, device: str, *, training: bool = False, seeds: np.ndarray | None = None) -> Self:
        """Return ``examples`` on the device; in training layers may ask for penalties and, with ``seeds``, drop out."""

        def put(values: np.ndarray | None) -> torch.Tensor | None:
            return None if values is None else torch.from_numpy(np.ascontiguousarray(values)).to(device)

        rows = Rows(
            causal=examples.causal, documents=put(examples.documents), visible=put(examples.visible), seeds=put(seeds),
            training=training,
        )  # fmt: skip
        inputs, targets = put(examples.inputs), put(examples.targets)
        assert inputs is not None
        assert targets is not None
        return cls(inputs, targets, rows)

    def parts(self, at_once: int) -> Iterator[Self]:
        """Yield the rows, ``at_once`` of them at a time."""
        for first in range(0, len(self.inputs), at_once):
            yield self.part(first, first + at_once)

    def part(self, first: int, stop: int) -> Self:
        """Return the rows from ``first`` to before ``stop``."""

        def cut(values: torch.Tensor | None) -> torch.Tensor | None:
            return None if values is None else values[first:stop]

        rows = self.rows._replace(
            documents=cut(self.rows.documents), visible=cut(self.rows.visible), seeds=cut(self.rows.seeds)
        )
        return type(self)(self.inputs[first:stop], self.targets[first:stop], rows)


Losses = Callable[[Asked], torch.Tensor]
"""Examples -> float32 nats of their targets, [rows context]."""


@runtime_checkable
class Pulling(Protocol):
    """Losses whose gradient is not left to autograd."""

    def pull(self, asked: Asked, weights: torch.Tensor | None, total: float) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the sum of nats times weights over ``total``, and the products; its gradient is added to the model's."""
        ...


def pull(losses: Losses, asked: Asked, weights: torch.Tensor | None, total: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the sum of nats times weights over ``total``, and the products; its gradient is added to the model's."""
    if isinstance(losses, Pulling):
        return losses.pull(asked, weights, total)
    nats = losses(asked)
    if weights is not None:
        nats = nats * weights
    share = nats.sum() / total
    share.backward()
    return share.detach(), nats.detach()
