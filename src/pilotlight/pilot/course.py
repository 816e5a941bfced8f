"""Held-out losses of a trial on its way, by share of its steps: what is compared where trials are given up early."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self, final

SHARES = tuple(step / 20 for step in range(1, 20))
"""Shares of the steps at which trials are compared; in between what was found is interpolated."""
CLOSE = 1e-9  # shares that differ by less are the same


def between(xs: Sequence[float], ys: Sequence[float], x: float) -> float | None:
    """Return the value at ``x`` of the line through points in order; None outside of them."""
    if not xs or x < xs[0] - CLOSE or x > xs[-1] + CLOSE:
        return None
    place = min(len(xs) - 1, bisect_left(xs, x))
    if place == 0 or xs[place] == xs[place - 1]:
        return ys[place]
    share = (x - xs[place - 1]) / (xs[place] - xs[place - 1])
    return ys[place - 1] + min(1.0, share) * (ys[place] - ys[place - 1])


@final
@dataclass(frozen=True)
class Course:
    """The evaluations of one trial in order, and what it came to."""

    shares: tuple[float, ...]
    """Of the steps of the training; trials of other lengths are compared at the same share."""
    losses: tuple[float, ...]
    end: float | None = None
    """Loss of all scored held-out text after the last step; None: the trial was given up, or is on its way."""

    @classmethod
    def through(cls, points: Iterable[tuple[float, float]], end: float | None = None) -> Self:
        """Return the course through points of share and loss, which are in order."""
        known = list(points)
        return cls(tuple(share for share, _ in known), tuple(loss for _, loss in known), end)

    def at(self, share: float) -> float | None:
        """Return the loss at a share of the steps, interpolated; None before the first evaluation and after the last."""
        return between(self.shares, self.losses, share)
