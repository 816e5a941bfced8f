"""Dropout whose mask is a function of the row's seed, so that micro-batches, resumes and machines agree on it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from pilotlight.model.layer import Rows

_LOW = 0xFFFFFFFF


def dropout(
    hidden: Float[Tensor, "batch time width"], rate: float, rows: Rows, place: int | Tensor
) -> Float[Tensor, "batch time width"]:
    """Return ``hidden`` with a share ``rate`` of the entries at zero and the others larger by 1 / (1 - rate).

    ``place`` tells apart the places of a model at which something is dropped. Srivastava et al. 2014.
    """
    if rate <= 0 or rows.seeds is None:
        return hidden
    _, time, width = hidden.shape
    entries = torch.arange(time * width, device=hidden.device).view(time, width)
    start = _mixed(rows.seeds.to(hidden.device) + 0x9E3779B9 * (place + 1))[:, None, None]
    kept = _mixed(start + entries * 0x85EBCA6B) >= int(rate * (_LOW + 1))
    return hidden * (kept.to(hidden.dtype) * (1.0 / (1.0 - rate)))


def _mixed(numbers: Tensor) -> Tensor:
    """Return 32 well mixed bits of each int64 number (the finaliser of MurmurHash3)."""
    numbers = numbers & _LOW
    numbers = ((numbers ^ (numbers >> 16)) * 0x85EBCA6B) & _LOW
    numbers = ((numbers ^ (numbers >> 13)) * 0xC2B2AE35) & _LOW
    return numbers ^ (numbers >> 16)
