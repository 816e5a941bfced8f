"""Shares of documents with their intervals."""

from __future__ import annotations

import math

from pilotlight.stats.estimate import Estimate

_NORMAL = 1.959963984540054
_METHOD = "Wilson 1927, documents taken as independent"


def rate(found: int, count: int, *cautions: str) -> Estimate | None:
    """Return the share ``found / count`` with Wilson's interval of 95 %; None where nothing was counted."""
    if count <= 0:
        return None
    share, square = found / count, _NORMAL**2
    centre = (found + square / 2) / (count + square)
    reach = _NORMAL * math.sqrt(found * (count - found) / count + square / 4) / (count + square)
    low, high = max(0.0, centre - reach), min(1.0, centre + reach)
    return Estimate(
        value=share, low=min(low, share), high=max(high, share), level=0.95, unit="share", n=count, method=_METHOD,
        cautions=cautions,
    )  # fmt: skip
