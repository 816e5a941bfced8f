"""The shape at which a model costs as much per token of training as another one."""

from __future__ import annotations

import math
from functools import lru_cache

from pilotlight.errors import ConfigError
from pilotlight.model.decoder import Decoder
from pilotlight.model.size import ASPECT, measure
from pilotlight.units import show_count

TOLERANCE = 0.03
"""A relative error in FLOPs that weighs as much as an aspect wrong by a factor of 2."""


def shape_by_flops(decoder: Decoder, flops: float, vocabulary: int, context: int) -> Decoder:
    """Return ``decoder`` with the depth and width at which a token of training takes about ``flops`` operations.

    As ``size.shape``, but what is met is FLOPs (forward and backward, logits included) and not parameters: among all shapes
    the one is taken that is nearest in FLOPs and in proportion. A depth or width that is set already is kept.

    Raises:
        ConfigError: the nearest shape misses the target by more than a factor of 1.5.
    """
    settings, step = decoder.model_dump_json(), decoder.width_step
    widths = [decoder.width] if decoder.width else range(step, 16384 + step, step)
    found: list[tuple[float, int, int]] = []
    for width in widths:
        outside, turn_flops = _flops(settings, width, vocabulary, context)
        turn = max(1, len(decoder.pattern))
        near = (flops - outside) / turn_flops
        turns = {max(1, math.floor(near)), max(1, math.ceil(near))}
        depths = {decoder.depth} if decoder.depth else {turn * count for count in turns}
        found += [(outside + turn_flops * depth / turn, depth, width) for depth in sorted(depths)]
        best = min(found, key=lambda shape: _mismatch(shape, flops))
        # Wider models are shallower: once the proportion alone is worse than the best, all that follow are worse.
        worse = _mismatch((flops, max(depths), width), flops) > _mismatch(best, flops)
        if outside + turn_flops > 2 * flops or (worse and width > ASPECT * max(depths)):
            break
    best = min(found, key=lambda shape: _mismatch(shape, flops))
    if not 1 / 1.5 < best[0] / flops < 1.5:
        raise ConfigError(
            f"no shape comes near {show_count(flops)} FLOPs per token of training: the nearest is depth {best[1]}, width "
            f"{best[2]} with {show_count(best[0])}; make the head_dim of model.mixer smaller, or compare at equal parameters"
        )
    return decoder.model_copy(update={"depth": best[1], "width": best[2]})


@lru_cache(maxsize=4096)
def _flops(settings: str, width: int, vocabulary: int, context: int) -> tuple[float, float]:
    """Return FLOPs per token outside the blocks, and those of one turn of the pattern; a straight line in the depth."""
    decoder = Decoder.model_validate_json(settings)
    turn = max(1, len(decoder.pattern))
    one, two = (
        measure(decoder.model_copy(update={"depth": turn * count, "width": width}), vocabulary, context)
        .training_flops_per_token for count in (1, 2)
    )  # fmt: skip
    return 2 * one - two, two - one


def _mismatch(shape: tuple[float, int, int], flops: float) -> tuple[float, int]:
    count, depth, width = shape
    cost = math.log(count / flops) / TOLERANCE
    proportion = math.log2(width / depth / ASPECT)
    return cost**2 + proportion**2, depth
