"""One description of a chart, drawn twice: interactive on the page and as a PNG beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

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
    style: Literal["points", "line", "band", "both"] = "points"
    """``band`` fills between low and high and draws no line of its own."""
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

    def legend_names(self) -> tuple[str, ...]:
        """Return the names in the legend, each once, in order."""
        return tuple(dict.fromkeys(series.name for series in self.series if series.legend)) if self.legend else ()
