"""What a section may put on the page: plain text in a few shapes. The page's template alone turns it into HTML."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, Literal, final

from pilotlight.report.chart import Chart
from pilotlight.report.text import effect, how, shown
from pilotlight.stats.estimate import Estimate

Tone = Literal["", "good", "mixed", "open", "bad", "quiet", "heat1", "heat2", "heat3", "heat4", "heat5"]
"""Colour of a state: reached, reached with changes, not decided, missed, unimportant; or a step from little to much.

Never the only sign of it.
"""


@final
@dataclass(frozen=True, slots=True)
class Cell:
    """One value: its text, a smaller line below it, and how it was obtained (shown when pointed at)."""

    text: str
    small: str = ""
    note: str = ""
    tone: Tone = ""
    sign: str = ""
    """A character that says the same as the tone, for people and printers without colour."""
    code: bool = False


def cell(estimate: Estimate | None, unit: bool = False) -> Cell:
    """Return the cell of an estimate: value, interval below, method when pointed at."""
    if estimate is None:
        return Cell("–", note="not estimated", tone="quiet")
    value, interval = shown(estimate)
    return Cell(f"{value} {estimate.unit}" if unit else value, interval, how(estimate))


def effect_cell(estimate: Estimate | None, note: str = "", tone: Tone = "") -> Cell:
    """Return the cell of a relative effect in percent: value, interval below, method and ``note`` when pointed at."""
    if estimate is None:
        return Cell("–", note="not run", tone="quiet")
    interval = f"[{effect(estimate.low)}, {effect(estimate.high)}]".replace("\u202f%,", ",")
    return Cell(effect(estimate.value), interval, f"{how(estimate)}{note}", tone)


@final
@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    shape: ClassVar[str] = "paragraph"
    text: str
    tone: Tone = ""


@final
@dataclass(frozen=True, slots=True)
class Items:
    """A list of sentences."""

    shape: ClassVar[str] = "items"
    items: tuple[str, ...]
    title: str = ""


@final
@dataclass(frozen=True, slots=True)
class Facts:
    """Names with their values."""

    shape: ClassVar[str] = "facts"
    pairs: tuple[tuple[str, Cell], ...]


@final
@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells. ``numeric`` names the columns that are set flush right."""

    shape: ClassVar[str] = "table"
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: frozenset[str] = frozenset()
    caption: str = ""
    details: tuple[str, ...] = ()
    """A sentence below each row, across all columns; empty for none."""
    wide: bool = False
    """Too many columns for a phone: scrolls sideways there instead of becoming one card per row."""


@final
@dataclass(frozen=True, slots=True)
class Plot:
    """A chart with the sentence that says how to read it."""

    shape: ClassVar[str] = "plot"
    chart: Chart


@final
@dataclass(frozen=True, slots=True)
class Grid:
    """Charts beside each other where the page is wide enough."""

    shape: ClassVar[str] = "grid"
    plots: tuple[Plot, ...]


@final
@dataclass(frozen=True, slots=True)
class Code:
    """Text to copy, line by line as it is."""

    shape: ClassVar[str] = "code"
    text: str


@final
@dataclass(frozen=True, slots=True)
class Span:
    """One interval on a common axis; positions run from 0 to 100."""

    label: str
    low: float
    value: float
    high: float
    text: str
    note: str
    bold: bool = False


@final
@dataclass(frozen=True, slots=True)
class Gauge:
    """Intervals against a threshold on one axis."""

    shape: ClassVar[str] = "gauge"
    spans: tuple[Span, ...]
    threshold: float
    """Position from 0 to 100."""
    label: str
    """What the threshold is."""
    better: str
    """Which side is good, in words."""
    summary: str
    """The same in a sentence, for whoever does not see it."""


@final
@dataclass(frozen=True, slots=True)
class Headline:
    """The answer: one word, why, and the few numbers it rests on."""

    shape: ClassVar[str] = "headline"
    word: str
    tone: Tone
    kicker: str
    """What kind of answer it is."""
    because: tuple[str, ...]
    figures: tuple[tuple[str, Cell], ...] = ()
    gauge: Gauge | None = None
    would_change: tuple[str, ...] = ()
    marks: tuple[tuple[str, Cell], ...] = ()
    """Small print: hash of the criteria, deviations from them."""


@final
@dataclass(frozen=True, slots=True)
class Card:
    """The beginning of a text to look at, as it is."""

    text: str
    tags: tuple[str, ...] = ()
    reason: str = ""
    small: str = ""
    """Where it comes from."""
    warning: str = ""
    """Shown instead of the text until it is opened."""


@final
@dataclass(frozen=True, slots=True)
class Cards:
    """Texts beside each other, below headings; on a phone one below another."""

    shape: ClassVar[str] = "cards"
    headings: tuple[str, str]
    rows: tuple[tuple[Card | None, Card | None], ...]


@final
@dataclass(frozen=True, slots=True)
class Fold:
    """A part that is closed until it is asked for; open on paper."""

    shape: ClassVar[str] = "fold"
    summary: str
    pieces: tuple[Paragraph | Items | Facts | Table | Plot | Grid | Code | Cards | Fold, ...]
    open: bool = False


Piece = Paragraph | Items | Facts | Table | Plot | Grid | Code | Gauge | Headline | Cards | Fold


@final
@dataclass(frozen=True, slots=True)
class Block:
    """What a section says: the sentence to take away first, then its pieces."""

    lead: str = ""
    pieces: tuple[Piece, ...] = field(default=())

    def charts(self) -> tuple[Chart, ...]:
        """Return every chart in the block, folded ones too, in order."""
        return tuple(chart for piece in self.pieces for chart in _charts(piece))


def _charts(piece: Piece) -> tuple[Chart, ...]:
    if isinstance(piece, Plot):
        return (piece.chart,)
    if isinstance(piece, Grid):
        return tuple(plot.chart for plot in piece.plots)
    if isinstance(piece, Fold):
        return tuple(chart for inner in piece.pieces for chart in _charts(inner))
    return ()
