"""Which weights are kept: how many of each matrix, the largest or random ones; and when that is asked anew."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from pilotlight.randomness import seed_for
from pilotlight.train.sparsity import Layers

MANY = 50
"""Changes of the masks that a short training has."""
USUAL_EVERY = 100


def densities(matrices: Mapping[str, Tensor], share: float, layers: Layers) -> dict[str, float]:
    """Return the share of the weights of each matrix that is kept, so that ``share`` of all of them is not.

    Where the proportions of ``erdos_renyi`` would keep more of a matrix than there is, it stays dense and the others take its
    zeros (Evci et al. 2020, section 3).
    """
    if layers == "uniform":
        return dict.fromkeys(matrices, 1.0 - share)
    sizes = {name: value.numel() for name, value in matrices.items()}
    raw = {name: sum(value.shape[-2:]) / math.prod(value.shape[-2:]) for name, value in matrices.items()}
    found: dict[str, float] = {}
    left = (1.0 - share) * sum(sizes.values())
    while len(found) < len(sizes):
        others = [name for name in sizes if name not in found]
        factor = (left - sum(sizes[name] for name in found)) / sum(raw[name] * sizes[name] for name in others)
        full = [name for name in others if factor * raw[name] >= 1.0]
        found |= dict.fromkeys(full, 1.0) if full else {name: factor * raw[name] for name in others}
    return {name: found[name] for name in sizes}


def count_of(matrix: Tensor, density: float) -> int:
    """Return how many weights of a matrix, of each one in a stack, are kept at a density; at least one."""
    return min(math.prod(matrix.shape[-2:]), max(1, round(density * math.prod(matrix.shape[-2:]))))


def counts(mask: Tensor) -> tuple[int, int]:
    """Return how many weights of a matrix, of each one in a stack, are kept and how many are not."""
    stacked = mask.numel() // math.prod(mask.shape[-2:])
    kept = int(mask.sum()) // stacked
    return kept, mask.numel() // stacked - kept


def largest(scores: Tensor, count: int) -> Tensor:
    """Return a mask of the ``count`` largest scores of a matrix, of each one in a stack; among equals the first ones."""
    flat = scores.flatten(-2)
    order = flat.argsort(dim=-1, descending=True, stable=True)[..., :count]
    return torch.zeros_like(flat, dtype=torch.bool).scatter_(-1, order, True).view(scores.shape)


def random_scores(matrix: Tensor, seed: int, done: int, name: str) -> Tensor:
    """Return numbers between 0 and 1 that follow from seed, number of the update and name; drawn on the CPU."""
    draw = torch.Generator().manual_seed(seed_for(seed, "sparsity", done, name))
    return torch.rand(matrix.shape, generator=draw).to(matrix.device)


def random_masks(matrices: Mapping[str, Tensor], kept: Mapping[str, float], seed: int) -> dict[str, Tensor]:
    """Return masks that keep a share ``kept`` of each matrix at random."""
    return {
        name: largest(random_scores(value, seed, 0, name), count_of(value, kept[name]))
        for name, value in matrices.items()
    }


def pause(every: int | None, steps: int) -> int:
    """Return the updates between two changes of the masks: ``every``, or 100 but a fiftieth of a short training."""
    return every or max(1, min(USUAL_EVERY, steps // MANY))
