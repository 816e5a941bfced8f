"""Models of another size from one that was trained: deeper by blocks that are copied, shallower, wider by units that are.

Widths grow exactly (Chen et al. 2016, Net2Net; Chen et al. 2022, bert2BERT): every entry of the stream, every head and every
hidden unit is there several times, and what reads them shares the old weight among the copies, so that the sums stay.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from pilotlight.errors import ConfigError
from pilotlight.model.decoder import Decoder
from pilotlight.model.folding import Weighed, branch_ends, copied_blocks, differences, folded, scaled_output, unfolded
from pilotlight.model.parametrisation import Role
from pilotlight.model.weight import role_of
from pilotlight.randomness import seed_for

DepthRule = Literal["stack", "interleave", "middle", "silent"]
_WIDENED = {
    "mixer": ("grouped", "window"),
    "feedforward": ("gelu", "relu_squared", "swiglu", "geglu"),
    "norm": ("rms", "layer", "none"),
    "position": ("rotary", "learned", "none"),
    "residual": ("pre", "post", "parallel", "reordered", "sandwich"),
}  # parts whose matrices have entries of the stream, heads or hidden units on both sides, in that order


def sources(rule: DepthRule, old: int, new: int) -> list[int]:
    """Return the block that each of ``new`` blocks is a copy of, out of ``old``.

    ``stack``: all blocks, then all of them again (Gong et al. 2019); fewer: the first ones. ``interleave`` and ``silent``: each
    block as often as the others, its copies beside it; fewer: every so many-th. ``middle``: the first half, then the last
    half of the new number (Kim et al. 2023, SOLAR); fewer: without the middle (Gromov et al. 2024).

    Raises:
        ConfigError: ``middle`` cannot make so many.
    """
    if rule == "stack":
        return [number % old for number in range(new)]
    if rule == "middle":
        first, last = -(-new // 2), new // 2
        if first > old:
            raise ConfigError(f"depth rule middle makes at most {2 * old} blocks out of {old}, not {new}; use stack or "
                              "interleave")  # fmt: skip
        return [*range(first), *range(old - last, old)]
    return [number * old // new for number in range(new)]


def deepened(model: Weighed, depth: int, rule: DepthRule) -> Weighed:
    """Return a folded model with another number of blocks, each a copy of one.

    With ``silent`` the model computes what it did: of the copies of a block all but the first add nothing at first, since the
    matrices at the ends of their branches are zero (Wu et al. 2024, LLaMA Pro).

    Raises:
        ConfigError: the rule cannot do it, or a block would come to a place of another mixer.
    """
    decoder, tensors = model
    old, _ = decoder.size()
    chosen = sources(rule, old, depth)
    wide = decoder.model_copy(update={"depth": depth, "base_depth": depth})
    for place, (source, mixer) in enumerate(zip(chosen, wide.mixers(), strict=True)):
        if decoder.mixers()[source] != mixer:
            raise ConfigError(f"depth rule {rule} would put block {source} at place {place}, where model.pattern has "
                              f"{mixer.kind}; choose another rule, or a depth that keeps the pattern")  # fmt: skip
    found = copied_blocks(tensors, chosen)
    if rule == "silent" and depth > old:
        if decoder.residual.kind not in ("pre", "parallel"):
            raise ConfigError(f"depth rule silent adds blocks that pass the stream on unchanged, and with model.residual "
                              f"{decoder.residual.kind} there are none; use stack, interleave or middle")  # fmt: skip
        for place in (place for place in range(1, depth) if chosen[place] == chosen[place - 1]):
            for names in branch_ends(wide, found, place):
                found |= {name: torch.zeros_like(found[name]) for name in names}
    return Weighed(wide, found)


def widened(model: Weighed, times: int, noise: float, seed: int) -> Weighed:
    """Return a folded model that is ``times`` as wide and computes the same, up to rounding.

    ``noise`` says how unevenly a weight is shared among the copies of what it reads: by so many times an even share, at
    random, the sum kept. At 0 all copies get the same gradients and stay copies for ever.

    Raises:
        ConfigError: a part cannot be widened exactly.
    """
    decoder, tensors = model
    _, width = decoder.size()
    check_widened(decoder)
    wide = decoder.model_copy(update={"width": width * times, "base_width": width * times})
    roles = _roles(decoder)
    found = {name: _copied(name, tensor, roles[name], times, noise, seed) for name, tensor in tensors.items()}
    # The product with an output matrix whose columns are all there several times is that many times as large.
    return Weighed(wide, found | scaled_output(wide, found, 1 / times))


def check_widened(decoder: Decoder) -> None:
    """Check that every part of a decoder can be widened exactly.

    Raises:
        ConfigError: names the part that cannot.
    """
    parts = {name: getattr(decoder, name) for name in _WIDENED if name != "mixer"}
    pairs = [("mixer", mixer) for mixer in decoder.mixers()] + list(parts.items())
    for name, part in pairs:
        if part.kind not in _WIDENED[name]:
            raise ConfigError(f"model.{name} {part.kind} cannot be made wider without a change of what the model "
                              f"computes; known for it are {', '.join(_WIDENED[name])}")  # fmt: skip
        if name == "mixer" and getattr(part, "heads", None) is not None:
            raise ConfigError("model.mixer.heads is set, so that heads would not grow with the width; leave it out")


def _roles(decoder: Decoder) -> dict[str, Role]:
    with torch.device("meta"):
        model = decoder.build(1)
    return {name: role_of(parameter) for name, parameter in model.named_parameters()}


def _copied(name: str, tensor: Tensor, role: Role, times: int, noise: float, seed: int) -> Tensor:
    if role in (Role.EMBEDDING, Role.OUTPUT):
        return tensor.repeat(1, times)
    if role is Role.VECTOR:
        # Gains of queries and keys belong to the entries of a head, which stays as large as it is; so do ids.
        own = name == "output_bias" or name.endswith(("query_gain", "key_gain"))
        return tensor.clone() if own else tensor.repeat(times)
    outputs, inputs = tensor.shape
    shares = torch.full((times, outputs, times, inputs), 1 / times, dtype=torch.float64)
    if noise:
        generator = torch.Generator().manual_seed(seed_for(seed, "widths", name))
        drawn = torch.rand(shares.shape, generator=generator, dtype=torch.float64) * 2 - 1
        shares += (drawn - drawn.mean(2, keepdim=True)) * (noise / times)
    wide = shares * tensor.double()[None, :, None]
    return wide.reshape(times * outputs, times * inputs).float()


def fitted(
    model: Weighed, target: Decoder, *, depth_rule: DepthRule | None = None, noise: float = 0.5, seed: int = 0
) -> dict[str, Tensor]:
    """Return tensors with which ``target`` starts from a trained model: the same, or grown to its depth and width.

    The multipliers of both are taken into account: what a block adds to the stream it adds in the target too.

    Raises:
        ConfigError: the two differ in more than depth and width, or the growth is not possible; says in what.
    """
    found = folded(model)
    (old_depth, old_width), (depth, width) = found.decoder.size(), target.size()
    if depth != old_depth:
        if depth_rule is None:
            raise ConfigError(f"the source has {old_depth} blocks and model.depth is {depth}; say how they become more or "
                              "fewer (depth: stack, interleave, middle or silent), or set model.depth")  # fmt: skip
        found = deepened(found, depth, depth_rule)
    if width != old_width:
        if width % old_width:
            raise ConfigError(f"the source is {old_width} wide and model.width is {width}; only whole multiples are exact, "
                              f"such as {2 * old_width}")  # fmt: skip
        found = widened(found, width // old_width, noise, seed)
    if others := differences(found.decoder, target):
        raise ConfigError(f"the source is another model: {'; '.join(others[:6])}. Set the same in the plan")
    return unfolded(found, target)
