"""The rows of a model's tables for other ids than it was trained with."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

_TABLES = ("embedding", "output", "output_bias")


def with_ids(tensors: dict[str, Tensor], sources: Sequence[int | None]) -> dict[str, Tensor]:
    """Return the tensors of a model whose id n is the old id ``sources[n]``; None begins as the mean of all old ones.

    A row of small numbers at random would make a new id likelier or less likely than all others by chance; with the mean
    it begins as an average one.
    """
    found = dict(tensors)
    known = torch.tensor([-1 if source is None else source for source in sources])
    for name in (name for name in _TABLES if name in tensors):
        table = tensors[name]
        rows = table[known.clamp(min=0)]
        rows[known < 0] = table.double().mean(0).float()
        found[name] = rows
    return found
