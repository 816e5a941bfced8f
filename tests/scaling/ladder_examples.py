"""Planted ladders: losses of a known law with known noise."""

from __future__ import annotations

import math

from pilotlight.randomness import stream
from pilotlight.scaling.points import Point

RUNGS = ((2e6, 3), (5e6, 2), (12e6, 1))


def chinchilla(parameters, tokens):
    return 0.7 + 0.5 * (2e6 / parameters) ** 0.34 + 0.5 * (4e7 / tokens) ** 0.3


def kaplan(parameters, tokens):
    """None of the laws that are fitted: the terms are joined under a root."""
    return 0.6 + (0.5 * (2e6 / parameters) ** 0.6 + 0.5 * (4e7 / tokens) ** 0.6) ** 0.55


def power(parameters, tokens):
    return 1.7 * (4.8e14 / (6 * parameters * tokens)) ** 0.06


def ladder(truth, *, seed=0, noise=0.005, ratios=(20,), rungs=RUNGS):
    draw = stream(seed, "ladder")
    return tuple(
        Point(
            size, size * ratio, truth(size, size * ratio) * math.exp(noise * draw.standard_normal()), seed=str(repeat)
        )
        for size, repeats in rungs
        for ratio in ratios
        for repeat in range(repeats)
    )


def grid(truth, *, seed=0, noise=0.0, sizes=6):
    rungs = tuple((2e6 * 2.0**step, 1) for step in range(sizes))
    return ladder(truth, seed=seed, noise=noise, ratios=(10, 20, 40, 80), rungs=rungs)
