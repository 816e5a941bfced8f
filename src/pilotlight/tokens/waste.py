"""What packing documents into rows of a context wastes, from the documents' lengths alone."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence

from pilotlight.spec import Record


class Waste(Record):
    """What two ways of packing cost, in tokens with one end token for each document."""

    context: int
    cut: float
    """Concatenation: share of the documents that would fit into one row and are cut by a row's end."""
    left_over: float
    """Concatenation: share of the tokens that fill no whole row at the end of an epoch."""
    padding: float
    """Best fit: share of the places in rows that hold no token."""
    cut_by_best_fit: float
    """Best fit: share of the documents that are longer than a row, which any packing cuts."""


def waste(lengths: Sequence[int], context: int) -> Waste:
    """Return what packing documents of these lengths, end tokens counted, into rows of ``context`` tokens wastes.

    Best fit takes the longest document first and the fullest row that holds it (Ding et al. 2024); documents longer
    than a row fill whole rows first.
    """
    start = whole = cut = too_long = 0
    rests: list[int] = []
    for length in lengths:
        fits = length <= context
        cut += fits and start % context + length > context
        too_long += not fits
        start += length
        whole += length // context
        if length % context:
            rests.append(length % context)
    rows = whole + _rows(rests, context)
    count, total = max(len(lengths), 1), max(start, 1)
    return Waste(
        context=context, cut=cut / count, left_over=start % context / total,
        padding=1.0 - start / (rows * context) if rows else 0.0, cut_by_best_fit=too_long / count,
    )  # fmt: skip


def _rows(lengths: list[int], context: int) -> int:
    """Return the rows that best fit takes for pieces that are all shorter than a row."""
    free: list[int] = []  # distinct numbers of free places, rising
    count = [0] * (context + 1)
    rows = 0
    for length in sorted(lengths, reverse=True):
        at = bisect_left(free, length)
        if at == len(free):
            rows += 1
            left = context - length
        else:
            place = free[at]
            left = place - length
            count[place] -= 1
            if not count[place]:
                free.pop(at)
        if not count[left]:
            insort(free, left)
        count[left] += 1
    return rows
