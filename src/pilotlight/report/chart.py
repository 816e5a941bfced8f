"""One description of a chart, drawn twice: interactive on the page and as a PNG beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final

from pilotlight.report.text import number
from pilotlight.units import show_count

COLORS = 8
"""Number of series colours; 0 is the neutral colour of the baseline."""

LIGHT = {
    "0": "#4a515c", "1": "#0072b2", "2": "#d55e00", "3": "#00876a", "4": "#b0478c", "5": "#3f9fd6", "6": "#b97f00",
    "7": "#6f4fa0", "ink": "#1b1f26", "soft": "#5c6470", "line": "#dedcd5", "paper": "#ffffff",
}  # fmt: skip
"""Colours on paper: Okabe and Ito's set for colour-blind readers, darkened where it is weak on white."""


@final
@dataclass(frozen=True, slots=True)
class Axis:
    """One axis: what it shows, in which unit, how it is divided."""

    title: str
    log: bool = False
    names: tuple[str, ...] = ()
    """Names instead of numbers: the series then count from 0, first name on top."""
    percent: bool = False
    count: bool = False
    """Write ticks as 10k, 1M."""


@final
@dataclass(frozen=True, slots=True)
class Series:
    """Values that belong together. ``low`` and ``high`` bound ``y``, or ``x`` where ``sideways``."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    style: Literal["points", "line", "band", "both", "bars"] = "points"
    """``band`` fills between low and high and draws no line of its own; ``bars`` reach from low to high at each point."""
    color: int = 0
    dash: Literal["solid", "dash", "dot"] = "solid"
    symbol: Literal["circle", "diamond", "square", "open", "star"] = "circle"
    thin: bool = False
    sideways: bool = False
    legend: bool = True
    notes: tuple[str, ...] = ()
    """What is shown when a point is pointed at, one text per point; empty: the numbers."""


@final
@dataclass(frozen=True, slots=True)
class Region:
    """A shaded range of one axis, with its meaning."""

    axis: Literal["x", "y"]
    low: float
    high: float
    label: str


@final
@dataclass(frozen=True, slots=True)
class Rule:
    """A line at one value of an axis, with its meaning."""

    axis: Literal["x", "y"]
    at: float
    label: str


@final
@dataclass(frozen=True, slots=True)
class Chart:
    """A whole chart. ``name`` is its file name and its place on the page."""

    name: str
    title: str
    caption: str
    """How to read it."""
    x: Axis
    y: Axis
    series: tuple[Series, ...]
    regions: tuple[Region, ...] = ()
    rules: tuple[Rule, ...] = ()
    height: int = 380
    """Pixels on the page."""
    legend: bool = True

    def log_ticks(self, side: Literal["x", "y"]) -> tuple[tuple[float, str], ...]:
        """Return places and texts of the ticks of a logarithmic axis: a few round numbers within what is drawn."""
        ends = self.log_ends(side)
        axis = self.x if side == "x" else self.y
        return tuple((place, _tick(place, axis)) for place in _round_numbers(*ends)) if ends else ()

    def log_ends(self, side: Literal["x", "y"]) -> tuple[float, float] | None:
        """Return the least and the largest positive value on an axis, lines included; None where there is none."""
        drawn = [value for series in self.series for value in _drawn(series, side) if value > 0]
        drawn += [rule.at for rule in self.rules if rule.axis == side and rule.at > 0]
        return (min(drawn), max(drawn)) if drawn else None

    def legend_names(self) -> tuple[str, ...]:
        """Return the names in the legend, each once, in order."""
        return tuple(dict.fromkeys(series.name for series in self.series if series.legend)) if self.legend else ()


def _drawn(series: Series, side: Literal["x", "y"]) -> tuple[float, ...]:
    ends = (*series.low, *series.high) if series.sideways == (side == "x") else ()
    return (*(series.x if side == "x" else series.y), *ends)


def _round_numbers(low: float, high: float) -> list[float]:
    """Return three to eight round numbers from ``low`` to ``high``: powers of ten, 1-2-5 steps, or an even step."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    for parts in ((1,), (1, 3), (1, 2, 5)):
        found = [part * 10.0**power for power in range(first, last + 1) for part in parts]
        found = [place for place in found if low * 0.97 <= place <= high * 1.03]
        if 3 <= len(found) <= 8:
            return found
    rough = (high - low) / 4 or abs(high) / 4
    step = min(
        (part * 10.0**power for power in range(-9, 20) for part in (1, 2, 5)), key=lambda size: abs(size - rough)
    )
    return [round(index * step, 10) for index in range(math.ceil(low / step), math.floor(high / step) + 1)][:9]


def _tick(value: float, axis: Axis) -> str:
    return show_count(value) if axis.count else number(value, 2) if value >= 1e6 else f"{value:.6g}"
