"""A chart as a Plotly figure: plain data in which colours are names that the page's style fills in."""

from __future__ import annotations

import math
from typing import Any, Literal

from pilotlight.report.chart import Axis, Chart, Region, Rule, Series
from pilotlight.report.text import clean, number, short

_SYMBOLS = {"circle": "circle", "diamond": "diamond", "square": "square", "open": "circle-open", "star": "star"}

_SIZES = {"star": 14, "diamond": 9}
_BAR = 0.68  # width of a bar, as a share of the distance between two names


def _plain(text: str, limit: int = 90) -> str:
    """Return text in which Plotly's small HTML finds nothing to interpret."""
    return short(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _lines(text: str) -> str:
    return "<br>".join(_plain(line, 400) for line in clean(text).split("\n"))


def figure(chart: Chart) -> dict[str, Any]:
    """Return ``{"data", "layout"}`` of the chart for Plotly; colours are ``@name`` or ``@name/opacity``."""
    seen: set[str] = set()
    traces: list[dict[str, Any]] = []
    for series in chart.series:
        in_legend = chart.legend and series.legend and series.name not in seen
        if in_legend:
            seen.add(series.name)
        traces += _traces(series, in_legend)
    layout: dict[str, Any] = {
        "height": chart.height,
        "showlegend": len(chart.legend_names()) > 1,
        "xaxis": _axis(chart.x, chart, "x"),
        "yaxis": _axis(chart.y, chart, "y"),
        "shapes": [*map(_region, chart.regions), *map(_rule, chart.rules)],
        "annotations": [_label(item, chart) for item in (*chart.regions, *chart.rules)],
        "hovermode": "closest",
    }
    if any(series.style == "bars" for series in chart.series):
        layout["barmode"] = "overlay"
    return {"name": chart.name, "data": traces, "layout": layout}


def _traces(series: Series, in_legend: bool) -> list[dict[str, Any]]:
    shared = {"type": "scatter", "name": _plain(series.name, 40), "legendgroup": _plain(series.name, 40)}
    if series.style == "band":
        edge = {**shared, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "x": list(series.x)}
        fill = {"fill": "tonexty", "fillcolor": f"@{series.color}/0.16"}
        return [
            {**edge, "y": list(series.low), "showlegend": False},
            {**edge, **fill, "y": list(series.high), "showlegend": in_legend},
        ]
    if series.style == "bars":
        return [_bar(series, shared | {"type": "bar", "showlegend": in_legend})]
    mode = {"points": "markers", "line": "lines", "both": "lines+markers"}[series.style]
    width = 1.1 if series.thin else 2.2
    trace = {
        **shared, "mode": mode, "x": list(series.x), "y": list(series.y), "showlegend": in_legend,
        "line": {"color": f"@{series.color}" + ("/0.75" if series.thin else ""), "width": width, "dash": series.dash},
        "marker": {"color": f"@{series.color}", "size": _SIZES.get(series.symbol, 8), "symbol": _SYMBOLS[series.symbol],
                   "line": _outline(series)},
        "text": [_lines(note) for note in series.notes] or _numbers(series), "hoverinfo": "text",
    }  # fmt: skip
    if series.low and series.high:
        trace["error_x" if series.sideways else "error_y"] = _bars(series)
    return [trace]


def _bar(series: Series, shared: dict[str, Any]) -> dict[str, Any]:
    lengths = [high - low for low, high in zip(series.low, series.high, strict=True)]
    ends = {"x": lengths, "y": list(series.y)} if series.sideways else {"x": list(series.x), "y": lengths}
    return {
        **shared, **ends, "base": list(series.low), "orientation": "h" if series.sideways else "v", "width": _BAR,
        "marker": {"color": f"@{series.color}", "line": {"width": 0}}, "hoverinfo": "text", "textposition": "none",
        "hovertext": [_lines(note) for note in series.notes] or _numbers(series),
    }  # fmt: skip


def _outline(series: Series) -> dict[str, Any]:
    if series.symbol == "open":
        return {"width": 2, "color": f"@{series.color}"}
    return {"width": 0.8, "color": "@paper"}


def _numbers(series: Series) -> list[str]:
    name = _plain(series.name)
    return [f"{name}<br>{number(x)}: {number(y)}" for x, y in zip(series.x, series.y, strict=True)]


def _bars(series: Series) -> dict[str, Any]:
    middle = series.x if series.sideways else series.y
    return {
        "type": "data", "symmetric": False, "color": f"@{series.color}", "thickness": 2, "width": 4,
        "array": [high - value for high, value in zip(series.high, middle, strict=True)],
        "arrayminus": [value - low for low, value in zip(series.low, middle, strict=True)],
    }  # fmt: skip


def _axis(axis: Axis, chart: Chart, side: Literal["x", "y"]) -> dict[str, Any]:
    found: dict[str, Any] = {"title": {"text": _plain(axis.title)}, "type": "log" if axis.log else "linear"}
    if axis.names:
        found |= {
            "tickmode": "array", "tickvals": list(range(len(axis.names))),
            "ticktext": [_plain(name, 28) for name in axis.names], "range": [len(axis.names) - 0.5, -0.5],
            "fixedrange": True, "title": {"text": ""}, "showgrid": False,
        }  # fmt: skip
    elif axis.percent:
        found["tickformat"] = ",.1~%"
    if axis.log:
        found |= _log_range(chart, side)
    elif not axis.names:
        found["autorangeoptions"] = {"include": _held(chart, side)}
    if axis.log:
        ticks = chart.log_ticks(side)
        found |= {"tickmode": "array", "tickvals": [at for at, _ in ticks], "ticktext": [text for _, text in ticks]}
    return found


def _held(chart: Chart, side: Literal["x", "y"]) -> list[float]:
    """Return the values that have to be in view though no series has them."""
    rules = [rule.at for rule in chart.rules if rule.axis == side]
    return rules + [end for region in chart.regions if region.axis == side for end in (region.low, region.high)]


def _log_range(chart: Chart, side: Literal["x", "y"]) -> dict[str, Any]:
    """Return the range in powers of ten: Plotly's own leaves no room for lines that no series has."""
    ends = chart.log_ends(side)
    if ends is None:
        return {}
    low, high = math.log10(ends[0]), math.log10(ends[1])
    pad = 0.06 * (high - low) or 0.02
    return {"range": [low - pad, high + pad]}


def _region(region: Region) -> dict[str, Any]:
    across = {"xref": "x", "yref": "paper"} if region.axis == "x" else {"xref": "paper", "yref": "y"}
    box = (region.low, region.high, 0, 1) if region.axis == "x" else (0, 1, region.low, region.high)
    return {
        "type": "rect", **across, "x0": box[0], "x1": box[1], "y0": box[2], "y1": box[3], "layer": "below",
        "line": {"width": 0}, "fillcolor": "@soft/0.13",
    }  # fmt: skip


def _rule(rule: Rule) -> dict[str, Any]:
    across = {"xref": "x", "yref": "paper"} if rule.axis == "x" else {"xref": "paper", "yref": "y"}
    line = (rule.at, rule.at, 0, 1) if rule.axis == "x" else (0, 1, rule.at, rule.at)
    return {
        "type": "line", **across, "x0": line[0], "x1": line[1], "y0": line[2], "y1": line[3], "layer": "below",
        "line": {"color": "@ink", "width": 1.3, "dash": "dash" if rule.label else "solid"},
    }  # fmt: skip


def _label(item: Region | Rule, chart: Chart) -> dict[str, Any]:
    at = item.at if isinstance(item, Rule) else (item.low + item.high) / 2
    axis = chart.x if item.axis == "x" else chart.y
    place = math.log10(at) if axis.log and at > 0 else at
    shared = {"text": _plain(item.label), "showarrow": False, "font": {"size": 12, "color": "@soft"}}
    if item.axis == "x":
        return {**shared, "x": place, "y": 1, "yref": "paper", "yanchor": "bottom", "xanchor": "center"}
    return {**shared, "x": 0, "xref": "paper", "y": place, "xanchor": "left", "yanchor": "bottom", "xshift": 4}
