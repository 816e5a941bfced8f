"""Coverage of an effect on other held-out text of the kind: runs and shards whose noise is known."""

from __future__ import annotations

import math

import numpy as np

from coverage_cells import cell, table
from pilotlight.randomness import stream
from pilotlight.stats.comparison import Observation, compare
from pilotlight.stats.estimate import exact
from pilotlight.stats.rule import Rule
from pilotlight.stats.shards import over_shards

TRUTH = -0.01
"""Logarithmic effect on all text of the kind."""
OF_RUNS = 0.003
"""Spread of a pair of runs about it."""
SHARED = 0.01
"""Spread of what a seed does to both runs of a pair."""


def covered(runs: int, shards: int, of_text: float, count: int) -> tuple[float, float]:
    """Return how often the interval over runs and text holds the effect on all text, and that over runs alone.

    ``of_text`` is how far the effect spreads over shards, in spreads of a pair of runs.
    """
    draw = stream(0, "shards", runs, shards, str(of_text))
    held = np.zeros(2)
    for _ in range(count):
        texts = draw.normal(0.0, of_text * OF_RUNS, shards)
        pairs = draw.normal(0.0, OF_RUNS, runs)
        gaps = TRUTH + texts.mean() + pairs
        observed = [
            Observation(variant=name, scale="2M", size=2e6, seed=seed, value=1.5 * math.exp(both + gap))
            for seed, (both, own) in enumerate(zip(draw.normal(0.0, SHARED, runs).tolist(), gaps.tolist(), strict=True))
            for name, gap in (("baseline", 0.0), ("variant", own))
        ]  # fmt: skip
        (found,) = compare(observed, "baseline", Rule()).comparisons
        by_shard = np.expm1(TRUTH + texts + pairs.mean()).tolist()
        told = over_shards(found, [exact(value, "relative", "simulated") for value in by_shard])
        held += [one.low <= math.expm1(TRUTH) <= one.high for one in (told.effect, found.effect)]
    both, alone = (held / count).tolist()
    return both, alone


def other_text(count: int) -> str:
    """Return coverage of the effect on other text, and in brackets that of the effect on the text that was scored."""
    rows = []
    for runs in (2, 3, 5):
        for shards in (3, 5, 10):
            cells = []
            for of_text in (0.0, 1.0, 3.0, 10.0):
                both, alone = covered(runs, shards, of_text, max(2, count // 2))
                cell("effect on other text", f"{runs} seeds, {shards} shards, {of_text:g}", both)
                cells.append(f"{both:.3f} ({alone:.3f})")
            rows.append([runs, shards, *cells])
    return table(["seeds", "shards", "shards differ by 0", "1", "3", "10 spreads of a pair of runs"], rows)
