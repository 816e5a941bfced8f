"""How closely two runs that share a seed move together."""

from __future__ import annotations

from typing import Literal

from pilotlight.spec import Record


class Pairing(Record):
    """The measured correlation of runs that share a seed, and what was made of it."""

    correlation: float
    """Over all variants and scales of a campaign; 0 where no arms share two seeds."""

    used: Literal["paired", "unpaired"]
    """Whether the interval follows the differences within seeds or the spread of each arm."""

    n: int
    """Pairs of runs that entered the correlation."""
