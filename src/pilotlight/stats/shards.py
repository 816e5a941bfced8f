"""How much an effect hangs on which text was held out: the same runs, compared on each of several shards of it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import final

from pilotlight.errors import EvidenceError
from pilotlight.spec import Record
from pilotlight.stats.comparison import Comparison
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.student import critical, products

LEAST = 3
"""Shards from which on their spread says anything."""
_ENDLESS = 300.0


@final
class Shards(Record):
    """One effect, shard by shard. Relative: 0.01 is one percent above the baseline."""

    effects: tuple[Estimate, ...]
    """On each shard, over runs alone, not corrected for the number of variants or shards."""
    effect: Estimate
    """On all shards together, for new runs *and* other text of the kind, at the level of the comparison's effect."""

    def on_the_side_of(self, effect: float) -> int:
        """Return the number of shards on which the sign of the effect is that of ``effect``."""
        return sum(one.value * effect > 0.0 for one in self.effects)


def over_shards(found: Comparison, effects: Sequence[Estimate]) -> Shards:
    """Return the effect of ``found`` with the doubt about the text beside that about the runs.

    ``effects`` are those at the same scale on shards of about the same size, which together are the text of ``found``. What
    shards add is the spread of their effects over the root of their number; the noise of runs within a shard is in it too,
    so that it is rather too large. Both half-widths, each with the t quantile of its own degrees of freedom, are added as
    squares: one common number of degrees covers too seldom where one part is hardly known (see ``two_level``).

    Raises:
        EvidenceError: fewer than three shards.
    """
    count = len(effects)
    if count < LEAST:
        raise EvidenceError(f"{count} shards tell too little of the spread between them; use at least {LEAST}.")
    level, centre = found.effect.level, math.log1p(found.effect.value)
    logs = [math.log1p(one.value) for one in effects]
    of_text = critical(level, count - 1) * math.sqrt(products(logs, logs) / (count - 1) / count)
    half = min(_ENDLESS, math.hypot(critical(level, found.degrees) * found.error, of_text))
    low, value, high = (math.expm1(centre + shift) for shift in (-half, 0.0, half))
    effect = Estimate(
        value=value, low=low, high=high, level=level, unit="relative", n=found.effect.n,
        method=f"{found.effect.method}, and t over {count} shards of the held-out text",
    )  # fmt: skip
    return Shards(effects=tuple(effects), effect=effect)
