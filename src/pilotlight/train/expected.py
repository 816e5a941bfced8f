"""What a loss curve is expected to do: as somebody predicted, or as it went on so far."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Self, final

import numpy as np

from pilotlight.record.forecast import Prediction
from pilotlight.spec import Record

_POWERS = tuple(power / 20 for power in range(1, 31))
"""Powers of the step that are tried: 0.05 to 1.5."""
LEAST_POINTS = 5
"""Evaluations from which a curve is learned: three numbers of the curve, and two more to see its scatter."""
SCATTER = 4.0
"""Standard deviations of the scatter around the learned curve that are still as expected."""
LEAST_MARGIN = 0.01
"""Share of the loss that is as expected in any case: the curve is an approximation."""


@final
class Point(Record):
    """Held-out bits per byte expected after ``step`` updates: ``value``, and as high and low as it may be."""

    step: int
    low: float
    value: float
    high: float


@final
class Expected(Record):
    """A predicted loss curve: points in order of steps, between which it is a line over the logarithm of the step."""

    points: tuple[Point, ...]
    source: str
    """Who says so, such as ``the pilot's forecast``."""

    @classmethod
    def of_forecast(cls, forecast: Prediction, steps: int) -> Self:
        """Return what a pilot's forecast says of a run of ``steps`` steps: where it ends, nothing about the way."""
        loss = forecast.loss
        point = Point(step=steps, low=loss.low, value=loss.value, high=loss.high)
        return cls(points=(point,), source="the pilot's forecast")

    def at(self, step: int) -> Point | None:
        """Return what is expected after ``step`` updates; None before the first point and behind the last one."""
        for before, after in zip(self.points, self.points[1:], strict=False):
            if before.step <= step <= after.step:
                share = math.log(step / before.step) / math.log(after.step / before.step)
                low, value, high = (
                    getattr(before, name) * (1 - share) + getattr(after, name) * share
                    for name in ("low", "value", "high")
                )
                return Point(step=step, low=low, value=value, high=high)
        return next((point for point in self.points if point.step == step), None)


def learned(curve: Sequence[tuple[int, float]], step: int) -> Point | None:
    """Return where a curve of (step, loss) goes on to, after ``step`` updates; None while it is too short.

    Loss = floor + scale × step^-power, the form of a training at one learning rate; the power by search over a grid, the
    rest by least squares with a scale that is not negative.
    """
    if len(curve) < LEAST_POINTS:
        return None
    steps, losses = np.array(curve, dtype=np.float64).T
    best: tuple[float, float] | None = None
    for power in _POWERS:
        falling = steps**-power
        spread = falling - falling.mean()
        scale = max(0.0, float(spread @ (losses - losses.mean()) / (spread @ spread)))
        error = losses - losses.mean() - scale * spread
        squares = float(error @ error)
        if best is None or squares < best[0]:
            best = squares, float(losses.mean() + scale * (step**-power - falling.mean()))
    assert best is not None
    squares, value = best
    margin = max(SCATTER * math.sqrt(squares / (len(curve) - 3)), LEAST_MARGIN * value)
    return Point(step=step, low=value - margin, value=value, high=value + margin)
