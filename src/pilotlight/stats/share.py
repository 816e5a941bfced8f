"""A share that was counted, with its interval."""

from __future__ import annotations

import math


def wilson(found: int, count: int, z: float = 1.959963984540054) -> tuple[float, float]:
    """Return Wilson's interval for the share ``found / count``; 0 to 1 where nothing was counted.

    Source: Wilson 1927. ``z`` is the normal quantile of the level; by default that of 95 %.
    """
    if not count:
        return 0.0, 1.0
    square = z**2
    centre = (found + square / 2) / (count + square)
    reach = math.sqrt(square * (found * (count - found) / count + square / 4)) / (count + square)
    return max(0.0, centre - reach), min(1.0, centre + reach)
