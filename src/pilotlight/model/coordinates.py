"""The coordinate check: a change of width or depth has to leave the size of the updates alone.

A few Adam steps are taken on the same batch at several widths and depths, and the root mean square of how far the
activations moved is fitted by a power of the size (Yang et al. 2022, arXiv 2203.03466, appendix D.1). Under a
parametrisation that took effect the power is about 0; a plain one moves more, the larger the model is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pilotlight.model.decoder import Decoder
from pilotlight.model.decoder_layer import DecoderModel
from pilotlight.model.mixers.grouped import Grouped
from pilotlight.model.weight import initialise, scaling_of
from pilotlight.randomness import seed_for
from pilotlight.spec import Record

FLAT = 0.45
"""Largest power that passes. Over all kinds of parts, but not without norms, completep stays within 0.36 (small models are not
quite at the limit of infinite width); under standard the logits grow with the width to the 0.63 or more and the hidden state
with the depth to the 0.66 or more."""
VOCABULARY, ROWS, CONTEXT = 64, 4, 32
LEARNING_RATE = 2e-3


class CoordinateCheck(Record):
    """The power of width and of depth with which activations move in the first steps."""

    width_slopes: dict[str, float]
    """Power of the width per activation (``hidden``: last block, ``logits``)."""
    depth_slopes: dict[str, float]
    """Power of the depth per activation."""

    @property
    def ok(self) -> bool:
        """Return whether every power is nearly 0."""
        return all(abs(slope) < FLAT for slope in (*self.width_slopes.values(), *self.depth_slopes.values()))

    @property
    def summary(self) -> str:
        """Return one line with all powers."""
        slopes = [
            f"{name} ~ {size}^{slope:+.2f}"
            for size, found in (("width", self.width_slopes), ("depth", self.depth_slopes))
            for name, slope in found.items()
        ]
        return f"updates of {', '.join(slopes)} (flat is within {FLAT})"


def check(
    decoder: Decoder | None = None,
    *,
    widths: Sequence[int] | None = None,
    depths: Sequence[int] = (2, 4, 8),
    steps: int = 4,
    seeds: Sequence[int] = (0, 1),
) -> CoordinateCheck:
    """Return how the updates of ``decoder`` (the default one where none is given) follow width and depth.

    Its own size does not matter; ``widths`` are 1, 2 and 4 times the smallest that the attention allows and that is at least 64.
    """
    decoder = decoder or Decoder(mixer=Grouped(head_dim=16))
    step = decoder.width_step
    smallest = -(-64 // step) * step
    widths = widths or (smallest, 2 * smallest, 4 * smallest)
    return CoordinateCheck(
        width_slopes=_slopes(decoder, [(depths[0], width) for width in widths], widths, steps, seeds),
        depth_slopes=_slopes(decoder, [(depth, widths[0]) for depth in depths], depths, steps, seeds),
    )


def _slopes(
    decoder: Decoder, sizes: list[tuple[int, int]], axis: Sequence[int], steps: int, seeds: Sequence[int]
) -> dict[str, float]:
    moves: dict[str, list[float]] = {}
    for depth, width in sizes:
        sized = decoder.model_copy(update={"depth": depth, "width": width})
        runs = [_moved(sized, steps, seed) for seed in seeds]
        for name in runs[0]:
            moves.setdefault(name, []).append(float(np.mean([np.log(run[name]) for run in runs])))
    return {name: float(np.polyfit(np.log(axis), found, 1)[0]) for name, found in moves.items()}


def _moved(decoder: Decoder, steps: int, seed: int) -> dict[str, float]:
    """Return the root mean square change of activations after ``steps`` steps of Adam."""
    model = decoder.build(VOCABULARY)
    initialise(model, seed)
    generator = torch.Generator().manual_seed(seed_for(seed, "coordinates"))
    ids = torch.randint(VOCABULARY, (ROWS, CONTEXT + 1), generator=generator)
    groups = [
        {"params": [parameter], "lr": LEARNING_RATE * scaling_of(parameter).lr, "eps": 1e-8 * scaling_of(parameter).eps}
        for parameter in model.parameters()
    ]
    adam = torch.optim.Adam(groups)
    before = _activations(model, ids[:, :-1])
    for _ in range(steps):
        adam.zero_grad()
        model.losses(ids[:, :-1], ids[:, 1:]).mean().backward()
        adam.step()
    after = _activations(model, ids[:, :-1])
    return {name: float((after[name] - before[name]).square().mean().sqrt()) for name in before}


@torch.no_grad()
def _activations(model: DecoderModel, ids: Tensor) -> dict[str, Tensor]:
    seen: dict[str, Tensor] = {}

    def keep(_module: torch.nn.Module, _inputs: object, output: Tensor) -> None:
        seen["hidden"] = output

    hook = model.blocks[-1].register_forward_hook(keep)
    seen["logits"] = model.logits(ids)
    hook.remove()
    return seen
