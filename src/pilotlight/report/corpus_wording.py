"""How amounts, shares, charts and texts of a corpus are put on its page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from pilotlight.corpus.facts import Amount
from pilotlight.corpus.summaries.measured import Spread
from pilotlight.corpus.summaries.samples import Sample
from pilotlight.corpus.summary import HELD_OUT
from pilotlight.report.block import Card, Cell, Grid, Plot, Tone
from pilotlight.report.chart import Axis, Chart, Region, Rule, Series
from pilotlight.report.text import fixed, how, number, percent
from pilotlight.stats.estimate import Estimate
from pilotlight.units import show_bytes

KEPT, GONE = 1, 2
"""Colours of what is trained on and of what is dropped, on every chart."""
_HEAT = ((0.005, ""), (0.02, "heat1"), (0.08, "heat2"), (0.2, "heat3"), (0.5, "heat4"))
_RUDE = "Offensive words in this text: open to read it"


def share(value: float) -> str:
    """Return a share in percent with the digits that matter."""
    return percent(value, 0 if value >= 0.995 or value == 0 else 1 if value >= 0.001 else 3)


def rate_cell(estimate: Estimate | None, *, heat: bool = False) -> Cell:
    """Return the cell of a share of documents: its value, and Wilson's interval below."""
    if estimate is None:
        return Cell("–", note="nothing counted", tone="quiet")
    if heat:  # many columns: whole points, and no interval where nothing went
        low, high = (fixed(100 * value, 0 if value >= 0.1 else 1) for value in (estimate.low, estimate.high))
        small = f"{low}–{high}" if estimate.value else f"< {high}"
        return Cell(share(estimate.value), small, tone=heat_of(estimate.value) or "quiet")
    return Cell(share(estimate.value), f"{share(estimate.low)} to {share(estimate.high)}", how(estimate))


def heat_of(value: float) -> Tone:
    """Return a step of colour for a share that was lost."""
    return next((tone for bound, tone in _HEAT if value < bound), "heat5")  # type: ignore[return-value]


def amount_cell(amount: Amount, whole: float = 0.0) -> Cell:
    """Return the cell of an amount of text: documents, and below them bytes and their share of ``whole``."""
    small = show_bytes(amount.bytes) + (f", {share(amount.bytes / whole)}" if whole else "")
    return Cell(fixed(amount.documents, 0), small if amount.documents else "")


def card(sample: Sample, *, twin: bool = False) -> Card:
    """Return the card of a document, or of the document that stays in its place."""
    warning = _RUDE if sample.offensive else ""
    if twin:
        return Card(
            sample.twin_text or "(its text is not at hand)", (sample.twin_source,), "", sample.twin[:12], warning
        )
    tags = tuple(part for part in (sample.source, sample.language) if part)
    if sample.similarity is not None:
        tags = (*tags, f"similarity {sample.similarity:.3f}")
    reason = "reads the same as held-out text" if sample.step == HELD_OUT else sample.reason
    return Card(sample.text or "(empty)", tags, reason, f"{sample.origin} · {sample.id[:12]}", warning)


def even(plots: Sequence[Plot]) -> Grid:
    """Return charts beside each other, all as high as the highest."""
    height = max((plot.chart.height for plot in plots), default=0)
    return Grid(tuple(Plot(replace(plot.chart, height=height)) for plot in plots))


def steps_of(edges: Sequence[float], heights: Sequence[float]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the outline of a histogram as a line: places and heights."""
    x = [edge for left, right in pairwise(edges) for edge in (left, right)]
    y = [height for height in heights for _ in (0, 1)]
    return (edges[0], *x, edges[-1]), (0.0, *y, 0.0)


def brief(value: float) -> str:
    """Return a number with at most three figures, without zeros at its end."""
    text = number(value, 3)
    return text.rstrip("0").rstrip(".") if "." in text and "·" not in text else text


def histogram(spread: Spread, name: str) -> Plot:
    """Return the chart of a measured value: shares of the documents kept and dropped, and the lines of the rule."""
    series: list[Series] = []
    zeros = spread.zeros or (0, 0)
    for title, counts, zero, color in (
        ("trained on", spread.kept, zeros[0], KEPT), ("dropped by this step", spread.dropped, zeros[1], GONE)
    ):  # fmt: skip
        whole = sum(counts) + zero
        if sum(counts):
            x, y = steps_of(spread.edges, [count / whole for count in counts])
            flat = (0.0,) * len(x)
            notes = tuple(
                f"{title}: {share(height)} of {fixed(whole, 0)} around {brief(at)}"
                for at, height in zip(x, y, strict=True)
            )
            series.append(Series(title, x, y, flat, y, style="band", color=color, legend=False))
            series.append(Series(title, x, y, style="line", color=color, notes=notes))
    first, last = spread.edges[0], spread.edges[-1]
    regions = tuple(
        Region("x", line.at, last, "") if line.side == "above" else Region("x", first, line.at, "")
        for line in spread.inside
    )
    rules = tuple(Rule("x", line.at, f"{brief(line.at)}: {line.reason}") for line in spread.inside)
    caption = f"{spread.meaning[:1].upper()}{spread.meaning[1:]}."
    if spread.zeros:
        kept, dropped = sum(spread.kept) + zeros[0], sum(spread.dropped) + zeros[1]
        caption += f" Not drawn: 0, which {share(zeros[0] / max(1, kept))} of those trained on have"
        caption += f" and {share(zeros[1] / dropped)} of those dropped." if dropped else "."
    return Plot(Chart(
        name, spread.column.partition(".")[2].replace("_", " "), caption, Axis("", log=spread.log),
        Axis("share of documents", percent=True), tuple(series), regions, rules, 240, legend=False,
    ))  # fmt: skip
