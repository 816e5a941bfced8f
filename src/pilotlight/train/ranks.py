"""What processes that train one model together have to decide alike."""

from __future__ import annotations

import torch
from torch import distributed


def worst(*values: float) -> tuple[float, ...]:
    """Return the largest of each of ``values`` over all ranks; ``values`` themselves in a training of one process.

    Every rank has to call it at the same point with as many values. What is to be the smallest is given negated.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return values
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    found = torch.tensor(values, dtype=torch.float64, device=device)
    distributed.all_reduce(found, op=distributed.ReduceOp.MAX)
    return tuple(found.tolist())
