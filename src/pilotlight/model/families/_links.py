"""From their tensors to ours and back, by one table for both ways."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, final

from pilotlight.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor


@final
class Link(NamedTuple):
    """One of their tensors, and the one of ours that it is, or the several that are stacked in it."""

    theirs: str
    ours: tuple[str, ...]
    turned: bool = False
    """Whether theirs is [inputs outputs], where ours are [outputs inputs]."""


def per_block(depth: int, *links: Link) -> list[Link]:
    """Return the links of all blocks: ``{n}`` in a name is the number of the block."""
    return [
        link._replace(theirs=link.theirs.format(n=number), ours=tuple(name.format(n=number) for name in link.ours))
        for number in range(depth) for link in links
    ]  # fmt: skip


def take(links: Iterable[Link], theirs: dict[str, Tensor], ours: dict[str, Sequence[int]]) -> dict[str, Tensor]:
    """Return our float32 tensors, of the shapes that ``ours`` gives, from theirs, each of which has to be used.

    Raises:
        DataError: one is missing, has another shape, or belongs nowhere.
    """
    left, found = dict(theirs), {}
    for link in links:
        if link.theirs not in left:
            raise DataError(f"the tensor {link.theirs} is missing; give the whole model, saved with the head that makes "
                            "its logits (such as LlamaForCausalLM or BertForMaskedLM)")  # fmt: skip
        tensor = left.pop(link.theirs).float()
        tensor = tensor.t() if link.turned else tensor
        sizes = [ours[name][0] for name in link.ours]
        if tensor.shape[0] != sum(sizes) or any(tensor.shape[1:] != tuple(ours[name][1:]) for name in link.ours):
            raise DataError(f"the tensor {link.theirs} is {list(theirs[link.theirs].shape)}; expected "
                            f"{[sum(sizes), *ours[link.ours[0]][1:]]} by config.json")  # fmt: skip
        found |= {name: part.contiguous() for name, part in zip(link.ours, tensor.split(sizes), strict=True)}
    if left:
        raise DataError(f"the tensor {min(left)} ({len(left)} in all) has no place in this architecture")
    return found


def give(links: Iterable[Link], ours: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return their tensors from ours."""
    found: dict[str, Tensor] = {}
    for link in links:
        first, *others = (ours[name] for name in link.ours)
        tensor = first.new_empty(0)
        if others:
            sizes = [len(ours[name]) for name in link.ours]
            tensor = first.new_empty(sum(sizes), *first.shape[1:])
            for part, name in zip(tensor.split(sizes), link.ours, strict=True):
                part.copy_(ours[name])
        else:
            tensor = first
        found[link.theirs] = (tensor.t() if link.turned else tensor).contiguous()
    return found


def without(theirs: dict[str, Tensor], patterns: Iterable[str]) -> dict[str, Tensor]:
    """Return the tensors whose names match none of the regular expressions."""
    pattern = re.compile("|".join(f"(?:{one})" for one in patterns) or r"(?!)")
    return {name: tensor for name, tensor in theirs.items() if not pattern.fullmatch(name)}
