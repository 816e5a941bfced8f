"""How large a model is and what a token of training costs, counted from the module; and the shape for a size.

Nothing here uses a formula for a kind of layer: models are built on torch's meta device (shapes without memory), their
parameters are added up, and torch's FLOP counter watches a forward and a backward pass.
"""

from __future__ import annotations

import math
from functools import lru_cache

import torch
import torch.nn.functional as functional
from torch.utils.flop_counter import FlopCounterMode

from pilotlight.errors import ConfigError
from pilotlight.model.decoder import Decoder
from pilotlight.model.layer import FeedForwardLayer
from pilotlight.model.parametrisation import Role
from pilotlight.model.weight import role_of
from pilotlight.spec import Record
from pilotlight.units import read_count, show_count

ASPECT = 48
"""Width per block that ``shape`` prefers. Published models have 64 (GPT-2 small) to 128; depth pays more when small."""
TOLERANCE = 0.1
"""A relative error in size that weighs as much as an aspect wrong by a factor of 2."""


class Size(Record):
    """What a model holds and computes."""

    parameters: int
    """Parameters outside embedding and output matrices: "size" wherever nothing else is said."""
    total_parameters: int
    """All parameters; a tied embedding counts once."""
    active_parameters: int
    """Those of ``parameters`` that a token meets: fewer where it goes to some experts only."""
    training_flops_per_token: float
    """Floating-point operations of forward and backward per token: matrix products and attention, logits included."""
    forward_flops_per_token: float
    """The same of the forward pass alone."""


def measure(decoder: Decoder, vocabulary: int, context: int) -> Size:
    """Return the size of ``decoder`` with ids below ``vocabulary`` on rows of ``context`` tokens.

    Counted are matrix products (2 per multiply-add), the products of attention over the full square of the row, as
    dense hardware computes it, and their gradients. Not counted: norms, activations, softmax, the optimiser's step.

    Raises:
        ConfigError: depth or width is not set, or does not fit.
    """
    return _measure(decoder.model_dump_json(), vocabulary, context)


@lru_cache(maxsize=256)
def _measure(settings: str, vocabulary: int, context: int) -> Size:
    decoder = Decoder.model_validate_json(settings)
    depth, _ = decoder.size()
    turn = max(1, len(decoder.pattern))
    turns, rest = divmod(depth, turn)
    of_any_depth = decoder.model_copy(update={"depth": None}).model_dump_json()
    # Blocks of a kind are alike: a count at some depth plus that of whole turns of the pattern is the count at any.
    last = _count(of_any_depth, rest or turn, vocabulary, context)
    more = turns if rest else turns - 1
    if more > 0:
        first = _count(of_any_depth, 1, vocabulary, context)
        further = _count(of_any_depth, 1 + turn, vocabulary, context)
        last = tuple(a + more * (c - b) for a, b, c in zip(last, first, further, strict=True))
    inside, total, active, training, forward = last
    return Size(
        parameters=inside,
        total_parameters=total,
        active_parameters=active,
        training_flops_per_token=training / context,
        forward_flops_per_token=forward / context,
    )


@lru_cache(maxsize=1024)
def _count(settings: str, depth: int, vocabulary: int, context: int) -> tuple[int, ...]:
    """Return parameters (non-embedding, all, met by a token) and FLOPs of one row (training, forward)."""
    decoder = Decoder.model_validate_json(settings).model_copy(update={"depth": depth})
    with torch.device("meta"):
        model = decoder.build(vocabulary)
        ids = torch.zeros(1, context, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        logits = model.logits(ids)
        forward = counter.get_total_flops()
        functional.cross_entropy(logits.flatten(0, 1), ids.flatten()).backward()
    total = sum(parameter.numel() for parameter in model.parameters())
    inside = _non_embedding(model)
    idle = sum(part.idle for part in model.modules() if isinstance(part, FeedForwardLayer))
    return inside, total, inside - idle, counter.get_total_flops(), forward


def _non_embedding(model: torch.nn.Module) -> int:
    outside = (Role.EMBEDDING, Role.OUTPUT)
    return sum(parameter.numel() for parameter in model.parameters() if role_of(parameter) not in outside)


@lru_cache(maxsize=4096)
def _parameters(settings: str, width: int) -> tuple[int, tuple[int, ...]]:
    """Return the non-embedding parameters outside the blocks, and those of each block of the pattern."""
    decoder = Decoder.model_validate_json(settings)
    decoder = decoder.model_copy(update={"depth": max(1, len(decoder.pattern)), "width": width})
    with torch.device("meta"):
        model = decoder.build(1)
    blocks = tuple(_non_embedding(block) for block in model.blocks)
    return _non_embedding(model) - sum(blocks), blocks


def shape(decoder: Decoder, parameters: float, vocabulary: int) -> Decoder:
    """Return ``decoder`` with depth and width for about ``parameters`` non-embedding parameters.

    The width is a multiple of what the attention needs. Among all shapes the one is taken that is nearest in size and
    in proportion (``ASPECT`` width per block), a deviation of ``TOLERANCE`` in size weighing as much as a factor of 2 in
    proportion; so a larger target never gives a smaller model. A depth or width that is set already is kept.

    Raises:
        ConfigError: the nearest shape misses the target by more than a factor of 2.
    """
    target = read_count(parameters)
    if target < 1:
        raise ConfigError(f"{parameters!r} parameters were asked for; expected at least 1, such as 100k or 30M")
    best = min(_candidates(decoder, target), key=lambda found: _mismatch(found, target))
    count, depth, width = best
    if not 0.5 < count / target < 2:
        raise ConfigError(
            f"no shape comes near {show_count(target)} parameters: the nearest is depth {depth}, width {width} with "
            f"{show_count(count)}; ask for that size, or make the head_dim of model.mixer smaller"
        )
    resolved = decoder.model_copy(update={"depth": depth, "width": width})
    resolved.size()
    return resolved


def _candidates(decoder: Decoder, target: float) -> list[tuple[int, int, int]]:
    """Return (parameters, depth, width) of the shapes around the target; a pattern is never cut short."""
    settings, step = decoder.model_dump_json(), decoder.width_step
    widths = [decoder.width] if decoder.width else range(step, 16384 + step, step)
    found: list[tuple[int, int, int]] = []
    for width in widths:
        outside, blocks = _parameters(settings, width)
        turn, whole = len(blocks), sum(blocks)
        if decoder.depth:
            depths = {decoder.depth}
        else:
            near = (target - outside) / whole
            depths = {turn * max(1, math.floor(near)), turn * max(1, math.ceil(near))}
        for depth in sorted(depths):
            count = outside + depth // turn * whole + sum(blocks[: depth % turn])
            found.append((count, depth, width))
        if not decoder.width and outside + whole > 2 * target and len(found) > 1:
            break
    return found


def _mismatch(found: tuple[int, int, int], target: float) -> tuple[float, int]:
    count, depth, width = found
    size = math.log(count / target) / TOLERANCE
    proportion = math.log2(width / depth / ASPECT)
    return size**2 + proportion**2, depth
