"""How closely two runs that share a seed move together."""

from __future__ import annotations

import math
from typing import Literal

from pilotlight.spec import Record
from pilotlight.stats.column import Column, align
from pilotlight.stats.student import products


class Pairing(Record):
    """The measured correlation of runs that share a seed, and what was made of it."""

    correlation: float
    """Over all variants and scales of a campaign; 0 where no arms share two seeds."""

    used: Literal["paired", "unpaired"]
    """Whether the interval follows the differences within seeds or the spread of each arm."""

    n: int
    """Pairs of runs that entered the correlation."""


def measure(new: Column, old: Column) -> Pairing:
    """Return the correlation over shared keys, and ``paired`` where it is positive.

    Raises:
        EvidenceError: no key is in both columns.
    """
    new, old = align(new, old)
    size = math.sqrt(products(new.values, new.values) * products(old.values, old.values))
    correlation = max(-1.0, min(1.0, products(new.values, old.values) / size)) if size > 0.0 else 0.0
    return Pairing(correlation=correlation, used="paired" if correlation > 0.0 else "unpaired", n=len(new))
