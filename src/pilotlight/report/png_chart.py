"""A chart as a PNG, drawn without a screen; the same chart gives the same bytes."""

from __future__ import annotations

import io
import warnings
from typing import Any, Literal

from pilotlight.report.chart import LIGHT, Chart, Region, Series
from pilotlight.report.text import short

_WIDTH = 8.4  # inches
_DOTS = 120  # per inch
_SIZES = {"star": 9.0, "diamond": 5.0}
_BAR = 0.68  # width of a bar, as a share of the distance between two names
_MARKERS = {"circle": "o", "diamond": "D", "square": "s", "open": "o", "star": "*"}
_DASHES = {"solid": "-", "dash": "--", "dot": ":"}
_STYLE: Any = {
    "font.family": "DejaVu Sans", "font.size": 9.5, "text.parse_math": False, "axes.edgecolor": LIGHT["line"],
    "axes.labelcolor": LIGHT["soft"], "xtick.color": LIGHT["soft"], "ytick.color": LIGHT["soft"],
    "axes.spines.top": False, "axes.spines.right": False, "axes.unicode_minus": True, "axes.axisbelow": True,
    "grid.color": LIGHT["line"], "grid.linewidth": 0.7, "xtick.minor.visible": False, "figure.facecolor": "white",
}  # fmt: skip


def picture(chart: Chart) -> bytes:
    """Return the chart as the bytes of a PNG."""
    from matplotlib import rc_context  # pyright: ignore[reportUnknownVariableType]
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with rc_context(_STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")  # names in scripts that the bundled font lacks
        drawing: Any = Figure(figsize=(_WIDTH, chart.height / 90), layout="constrained")
        FigureCanvasAgg(drawing)
        axes: Any = drawing.add_subplot()
        for region in chart.regions:
            _shade(axes, region)
        for series in chart.series:
            _draw(axes, series)
        _set_axis(axes, chart, "x")
        _set_axis(axes, chart, "y")
        for rule in chart.rules:
            line = axes.axvline if rule.axis == "x" else axes.axhline
            line(rule.at, color=LIGHT["ink"], linewidth=1, linestyle="--" if rule.label else "-", zorder=1)
            _write(axes, rule.axis, rule.at, rule.label)
        axes.set_title(short(chart.title, 90), loc="left", fontsize=11, fontweight="bold", color=LIGHT["ink"], pad=18)
        _legend(drawing, axes, chart)
        held = io.BytesIO()
        drawing.savefig(held, format="png", dpi=_DOTS, metadata={"Software": None})
    return held.getvalue()


def _draw(axes: Any, series: Series) -> None:
    color = LIGHT[str(series.color)]
    label = short(series.name, 40)
    if series.style == "band":
        axes.fill_between(series.x, series.low, series.high, color=color, alpha=0.16, linewidth=0, label=label)
        return
    if series.style == "bars":
        lengths = [high - low for low, high in zip(series.low, series.high, strict=True)]
        if series.sideways:
            axes.barh(series.y, lengths, left=series.low, height=_BAR, color=color, label=label, zorder=3)
        else:
            axes.bar(series.x, lengths, bottom=series.low, width=_BAR, color=color, label=label, zorder=3)
        return
    marker = "" if series.style == "line" else _MARKERS[series.symbol]
    shared = {
        "color": color, "label": label, "marker": marker, "markersize": _SIZES.get(series.symbol, 5.5), "zorder": 3,
        "linestyle": "" if series.style == "points" else _DASHES[series.dash],
        "linewidth": 0.9 if series.thin else 1.8, "alpha": 0.8 if series.thin else 1.0,
    }  # fmt: skip
    if series.symbol == "open":
        shared["markerfacecolor"] = "white"
    if not (series.low and series.high):
        axes.plot(series.x, series.y, **shared)
        return
    middle = series.x if series.sideways else series.y
    bars = (
        [value - low for low, value in zip(series.low, middle, strict=True)],
        [high - value for high, value in zip(series.high, middle, strict=True)],
    )
    axes.errorbar(
        series.x, series.y, **{"xerr" if series.sideways else "yerr": bars}, capsize=3, elinewidth=1.6, **shared
    )


def _set_axis(axes: Any, chart: Chart, side: Literal["x", "y"]) -> None:
    from matplotlib.ticker import FuncFormatter, NullLocator

    axis, one = (chart.x, axes.xaxis) if side == "x" else (chart.y, axes.yaxis)
    if axis.names:
        one.set_ticks(range(len(axis.names)), [short(name, 28) for name in axis.names], color=LIGHT["ink"])
        (axes.set_xlim if side == "x" else axes.set_ylim)(len(axis.names) - 0.5, -0.5)
        return
    one.set_label_text(short(axis.title, 90))
    axes.grid(visible=True, axis=side)
    if axis.log:
        (axes.set_xscale if side == "x" else axes.set_yscale)("log")
        one.set_minor_locator(NullLocator())
        ticks = chart.log_ticks(side)
        one.set_ticks([at for at, _ in ticks], [text for _, text in ticks])
    elif axis.percent:
        one.set_major_formatter(FuncFormatter(_percent_tick))


def _percent_tick(value: float, place: object) -> str:
    del place
    return f"{100 * value:.3g}%".replace("-", "\u2212")


def _shade(axes: Any, region: Region) -> None:
    span = axes.axvspan if region.axis == "x" else axes.axhspan
    span(region.low, region.high, color=LIGHT["soft"], alpha=0.12, linewidth=0, zorder=0)
    _write(axes, region.axis, (region.low + region.high) / 2, region.label)


def _write(axes: Any, side: str, at: float, label: str) -> None:
    shared = {"color": LIGHT["soft"], "fontsize": 8.5, "textcoords": "offset points", "annotation_clip": False}
    if side == "x":
        axes.annotate(
            short(label, 60), (at, 1), xycoords=("data", "axes fraction"), xytext=(0, 4), ha="center", **shared
        )
    else:
        place = {"xycoords": ("axes fraction", "data"), "xytext": (4, 3), "ha": "left"}
        axes.annotate(short(label, 60), (0, at), **place, **shared)


def _legend(drawing: Any, axes: Any, chart: Chart) -> None:
    names = [short(name, 40) for name in chart.legend_names()]
    if len(names) < 2:
        return
    handles, labels = axes.get_legend_handles_labels()
    first = {label: handle for handle, label in zip(reversed(handles), reversed(labels), strict=True)}
    drawing.legend(
        [first[name] for name in names if name in first], [name for name in names if name in first],
        loc="outside lower center", ncols=min(4, len(names)), frameon=False, labelcolor=LIGHT["ink"], fontsize=9,
    )  # fmt: skip
