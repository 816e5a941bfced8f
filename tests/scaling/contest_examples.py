"""Planted contests: variants whose truth at the target is known."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pilotlight.randomness import stream
from pilotlight.scaling.contest_cells import PilotRun, Scale

TARGET = Scale(flops=6e9 * 2e10, parameters=1e9, tokens=2e10)
CELLS = {"10M": 1e7, "30M": 3e7, "100M": 1e8}


def value(gap: float, slope: float, parameters: float) -> float:
    """Return a loss whose gap to the average changes by ``slope`` per e-fold of size."""
    return 3.0 * math.exp(gap + slope * math.log(parameters / 1e9) - 0.07 * math.log(parameters / 1e9))


def pilots(
    variants: Mapping[str, tuple[float, float]], noise: float = 0.001, seed: int = 0, repeats: int = 1
) -> list[PilotRun]:
    """Return one run, or several, of each variant (its gap at the target and its slope) in each of three cells."""
    return [
        PilotRun(
            name, cell, value(gap, slope, size) * math.exp(noise * _draw(seed, name, cell, repeat)),
            6 * size * 20 * size, size, 20 * size, str(repeat),
        )
        for name, (gap, slope) in variants.items() for cell, size in CELLS.items() for repeat in range(repeats)
    ]  # fmt: skip


def _draw(seed: int, *names: str | int) -> float:
    return float(stream(seed, *names).standard_normal())
