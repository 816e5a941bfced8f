"""How what a step measured is spread over the documents it dropped and those trained on, and where its rules draw lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

from pilotlight.corpus.filter import Filter
from pilotlight.corpus.summary import Summary, quoted

_BINS = 40
_ROUNDS = 60  # halvings until a threshold is exact to the last digit that is shown
_MANY = 0.4  # share of documents with 0 from which these are left out of the bins
_CASES = 12  # documents that a rule is asked about
_QUANTILES = "[0.002, 0.05, 0.5, 0.95, 0.998]"


@final
@dataclass(frozen=True, slots=True)
class Line:
    """Where a rule changes its mind on one value, everything else staying as it is."""

    at: float
    side: Literal["above", "below"]
    """Where it drops."""
    reason: str


@final
@dataclass(frozen=True, slots=True)
class Spread:
    """A measured value over documents: counts in bins, and quantiles (5 %, half, 95 %)."""

    column: str
    meaning: str
    log: bool
    """Bins of equal ratio; documents with 0 or less stand in the first."""
    edges: tuple[float, ...]
    kept: tuple[int, ...]
    dropped: tuple[int, ...]
    kept_quantiles: tuple[float, ...]
    dropped_quantiles: tuple[float, ...]
    lines: tuple[Line, ...]
    zeros: tuple[int, int] | None = None
    """How many of both are exactly 0, where they are so many that they are left out of the bins."""

    @property
    def inside(self) -> tuple[Line, ...]:
        """The lines that lie within the bins."""
        return tuple(line for line in self.lines if self.edges[0] <= line.at <= self.edges[-1])


def spreads(summary: Summary, step: str) -> list[Spread]:
    """Return how each value that a step measured is spread, for what is trained on and what this step dropped."""
    columns = summary.measured(step)
    if not columns:
        return []
    ranges = _ranges(summary, step, columns)
    cases = _cases(summary, step)
    found: list[Spread] = []
    for column in columns:
        quantiles = {group: rows[column] for group, rows in ranges.items() if rows[column] is not None}
        if not quantiles:
            continue
        lines = _lines(summary.steps[step], column, cases, quantiles)
        found.append(_spread(summary, step, column, quantiles, lines))
    return found


def _ranges(summary: Summary, step: str, columns: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return by group (kept, dropped) and column: quantiles, smallest, largest, whether all are whole numbers."""
    parts = ", ".join(
        f"quantile_cont({name}, {_QUANTILES}), min({name}), max({name}), bool_and({name} = floor({name})), "
        f"min({name}) FILTER ({name} > 0)"
        for name in map(quoted, columns)
    )
    rows = summary.ask(
        f"SELECT CASE WHEN fate = 'train' THEN 'kept' ELSE 'dropped' END, {parts} FROM records "
        "WHERE fate = 'train' OR step = $step GROUP BY 1",
        step=step,
    )
    return {
        row[0]: {
            column: tuple(row[1 + 5 * place : 6 + 5 * place]) if row[1 + 5 * place] is not None else None
            for place, column in enumerate(columns)
        }
        for row in rows
    }


def _cases(summary: Summary, step: str) -> list[tuple[str, dict[str, Any]]]:
    """Return sources and values of some documents that the rule keeps, chosen by the hash of their ids."""
    own = [f"{step}.{name}" for name in getattr(summary.steps.get(step), "columns", {})]
    if not own or not all(name in summary.columns for name in own) or summary.family(step) != "filter":
        return []
    names = ", ".join(map(quoted, own))
    rows = summary.ask(
        f"SELECT source, {names} FROM records WHERE fate = 'train' AND {quoted(own[0])} IS NOT NULL "
        f"ORDER BY md5(id), id LIMIT {_CASES}"
    )
    bare = [name.partition(".")[2] for name in own]
    return [(row[0], dict(zip(bare, row[1:], strict=True))) for row in rows]


def _lines(
    rule: Any, column: str, cases: Sequence[tuple[str, dict[str, Any]]], quantiles: Mapping[str, Any]
) -> tuple[Line, ...]:
    """Return the thresholds of a rule on one value, found by asking it: no rule has to say where its lines are."""
    if not isinstance(rule, Filter):
        return ()
    name = column.partition(".")[2]
    seen = {value for points, low, high, *_ in quantiles.values() for value in (low, high, *points)}
    tried = sorted(seen | ({0.0, 1.0} if max(seen) <= 1 else {0.0}) if min(seen) >= 0 else seen)
    found: dict[Literal["above", "below"], list[Line]] = {}
    for source, values in cases:
        if any(value is None for value in values.values()) or rule.reason_to_drop(values, source) is not None:
            continue
        own: dict[Literal["above", "below"], Line] = {}
        for value in (*tried, tried[-1] * 2 + 1):
            side: Literal["above", "below"] = "above" if value > values[name] else "below"
            reason = None if side in own else rule.reason_to_drop({**values, name: value}, source)
            if reason is not None:
                own[side] = Line(_bisected(rule, source, values, name, value), side, reason.partition(":")[0])
        for side, line in own.items():
            found.setdefault(side, []).append(line)
    # Where documents disagree, the rule weighs several values against each other: no line is true of all.
    return tuple(
        found[side][0] for side in sorted(found)
        if max(line.at for line in found[side]) - min(line.at for line in found[side]) <= 1e-5 * abs(found[side][0].at)
    )  # fmt: skip


def _bisected(rule: Filter, source: str, values: dict[str, Any], name: str, end: float) -> float:
    kept, gone = float(values[name]), float(end)
    for _ in range(_ROUNDS):
        middle = (kept + gone) / 2
        if rule.reason_to_drop({**values, name: middle}, source) is None:
            kept = middle
        else:
            gone = middle
    return float(f"{kept:.6g}")


def _spread(summary: Summary, step: str, column: str, quantiles: Mapping[str, Any], lines: tuple[Line, ...]) -> Spread:
    low = min(found[0][0] for found in quantiles.values())
    high = max(found[0][4] for found in quantiles.values())
    name = quoted(column)
    zeros = _zeros(summary, step, name)
    if zeros:  # quantiles of mostly zeros say nothing of the others
        high = max(found[2] for found in quantiles.values()) if high <= 1 else high
    drawn = [line.at for line in lines if low - (high - low) / 2 <= line.at <= high + (high - low) / 2]
    low, high = min([low, *drawn]), max([high, *drawn])
    whole = all(found[3] for found in quantiles.values())
    median = max(found[0][2] for found in quantiles.values())
    least = min((found[4] for found in quantiles.values() if found[4] is not None), default=1.0)
    log = (low >= 0 and median > 0 and high > 100 * max(low, least) and high > 20 * median) or (whole and high > 1000)
    log = bool(log and low >= 0)
    edges = _edges(max(low, least) if log else low, high, log, whole)
    width = _inside(edges[1], log) - _inside(edges[0], log)
    value = f"log10(greatest({name}, {edges[0]!r}))" if log else name
    start = _inside(edges[0], log)
    some = f" AND {name} <> 0" if zeros else ""
    rows = summary.ask(
        f"SELECT fate = 'train', least({len(edges) - 2}, greatest(0, floor(({value} - {start!r}) / {width!r})))::INT AS bin, "
        f"count(*) FROM records WHERE (fate = 'train' OR step = $step) AND {name} IS NOT NULL{some} GROUP BY ALL",
        step=step,
    )
    counts = {True: [0] * (len(edges) - 1), False: [0] * (len(edges) - 1)}
    for kept, place, count in rows:
        counts[bool(kept)][place] += count
    quarters = {group: tuple(float(value) for value in found[0][1:4]) for group, found in quantiles.items()}
    return Spread(
        column, summary.meaning(column), log, edges, tuple(counts[True]), tuple(counts[False]),
        quarters.get("kept", ()), quarters.get("dropped", ()), lines, zeros,
    )  # fmt: skip


def _zeros(summary: Summary, step: str, name: str) -> tuple[int, int] | None:
    """Return how many kept and dropped documents have 0, if so many that nothing else could be seen beside them."""
    found = summary.ask(
        f"SELECT count(*) FILTER (fate = 'train' AND {name} = 0), count(*) FILTER (fate <> 'train' AND {name} = 0), "
        f"count(*) FROM records WHERE (fate = 'train' OR step = $step) AND {name} IS NOT NULL",
        step=step,
    )
    kept, dropped, every = found[0]
    return (kept, dropped) if _MANY * every < kept + dropped < every else None


def _inside(value: float, log: bool) -> float:
    return math.log10(value) if log else value


def _edges(low: float, high: float, log: bool, whole: bool) -> tuple[float, ...]:
    if whole and not log and high - low <= _BINS:
        return tuple(value - 0.5 for value in range(math.floor(low), math.floor(high) + 2))
    if high <= low:
        high = low * 2 if log else low + 1
    if log:
        first, last = math.log10(low), math.log10(high)
        return tuple(10 ** (first + (last - first) * place / _BINS) for place in range(_BINS + 1))
    return tuple(low + (high - low) * place / _BINS for place in range(_BINS + 1))
