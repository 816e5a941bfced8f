"""How often a corpus names groups of people, and how it speaks near them: a table with intervals.

Documents are the unit of replication: mentions in one document are not independent. Intervals are those of a ratio of
sums over documents, linearized (Cochran 1977, "Sampling Techniques", ch. 6), so one pass over sums is enough.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

_Z = 1.959964
_FEW = 20  # documents below which a row carries a caution


@final
@dataclass(frozen=True, slots=True)
class GroupRow:
    """One group of one axis. Tones run from -1 to 1; an interval is (low, high) at 95 %."""

    axis: str
    group: str
    mentions: int
    documents: int
    per_million: float
    """Mentions per million words."""
    per_million_interval: tuple[float, float]
    tone: float
    """Mean tone of the contexts of its mentions."""
    tone_interval: tuple[float, float]
    difference: float
    """That, minus the mean tone of the contexts of all groups."""
    difference_interval: tuple[float, float]
    caution: str = ""


@final
@dataclass(slots=True)
class _Sums:
    """Sums over documents of one group: n mentions, t tones, w words of the document, a and b of all groups."""

    documents: int = 0
    of: dict[str, float] = field(default_factory=dict[str, float])

    def add(self, **values: float) -> None:
        self.documents += 1
        names = sorted(values)
        for place, left in enumerate(names):
            self.of[left] = self.of.get(left, 0.0) + values[left]
            for right in names[place:]:
                key = left + "*" + right
                self.of[key] = self.of.get(key, 0.0) + values[left] * values[right]

    def merge(self, other: _Sums) -> None:
        self.documents += other.documents
        for key, value in other.of.items():
            self.of[key] = self.of.get(key, 0.0) + value

    def get(self, key: str) -> float:
        return self.of.get("*".join(sorted(key.split("*"))), 0.0)


def _squares(sums: _Sums, parts: Mapping[str, float]) -> float:
    """Return the sum over documents of the square of a weighted sum of its values."""
    total = math.fsum(
        left_weight * right_weight * sums.get(f"{left}*{right}")
        for left, left_weight in parts.items() for right, right_weight in parts.items()
    )  # fmt: skip
    return max(0.0, total)


@final
class Mentions:
    """Sums of the columns of the filter ``identity`` over documents, which can be merged in any order of units."""

    def __init__(self) -> None:
        self.documents = 0
        self.words = 0.0
        self._square_words = 0.0
        self._all = _Sums()
        self._groups: dict[str, _Sums] = {}

    def add(self, values: Mapping[str, Any]) -> None:
        """Take in what ``identity`` measured on one document."""
        words = float(values["words"])
        self.documents += 1
        self.words += words
        self._square_words += words * words
        groups: dict[str, list[float]] = json.loads(values["groups"])
        if not groups:
            return
        every = math.fsum(count for count, _ in groups.values())
        tones = math.fsum(tone for _, tone in groups.values())
        self._all.add(a=every, b=tones)
        for group, (count, tone) in groups.items():
            self._groups.setdefault(group, _Sums()).add(n=count, t=tone, w=words, a=every, b=tones)

    def merge(self, other: Mentions) -> None:
        """Take in what another fold has seen."""
        self.documents += other.documents
        self.words += other.words
        self._square_words += other._square_words
        self._all.merge(other._all)
        for group, sums in other._groups.items():
            self._groups.setdefault(group, _Sums()).merge(sums)

    def table(self) -> list[GroupRow]:
        """Return a row for each group that was named, by axis and group; intervals are over documents."""
        return [self._row(group, self._groups[group]) for group in sorted(self._groups)]

    def _row(self, name: str, sums: _Sums) -> GroupRow:
        axis, _, group = name.partition("/")
        count, every = sums.get("n"), self._all.get("a")
        rate = count / self.words
        # Documents that never name the group enter with their words only.
        spread = _squares(sums, {"n": 1.0, "w": -rate}) + rate**2 * (self._square_words - sums.get("w*w"))
        rate_error = _error(spread, self.documents) / self.words
        tone, mean = sums.get("t") / count, self._all.get("b") / every
        tone_error = _error(_squares(sums, {"t": 1.0, "n": -tone}), sums.documents) / count
        apart = self._apart(sums, tone, mean)
        if few := sums.documents < _FEW:
            # A few contexts that happen to be alike have no spread of their own; that of all contexts stands in.
            borrowed = math.sqrt(_squares(self._all, {"b": 1.0, "a": -mean}) / every / count)
            tone_error, apart = max(tone_error, borrowed), max(apart, borrowed)
        return GroupRow(
            axis, group, round(count), sums.documents, 1e6 * rate,
            (max(0.0, 1e6 * (rate - _Z * rate_error)), 1e6 * (rate + _Z * rate_error)),
            tone, (max(-1.0, tone - _Z * tone_error), min(1.0, tone + _Z * tone_error)),
            tone - mean, (tone - mean - _Z * apart, tone - mean + _Z * apart),
            f"only {sums.documents} documents" if few else "",
        )  # fmt: skip

    def _apart(self, sums: _Sums, tone: float, mean: float) -> float:
        """Return the standard error of tone - mean, whose documents overlap."""
        count, every = sums.get("n"), self._all.get("a")
        inside = _squares(sums, {"t": 1 / count, "n": -tone / count, "b": -1 / every, "a": mean / every})
        all_parts = {"b": 1 / every, "a": -mean / every}
        outside = _squares(self._all, all_parts) - _squares(sums, all_parts)
        return _error(inside + max(0.0, outside), self._all.documents)


def _error(squares: float, documents: int) -> float:
    return math.sqrt(squares * documents / max(1, documents - 1))


def fold_mentions(rows: Iterable[Mapping[str, Any]]) -> Mentions:
    """Return the sums over documents, each given by the columns of the filter ``identity``."""
    found = Mentions()
    for row in rows:
        found.add(row)
    return found


def as_markdown(rows: Iterable[GroupRow]) -> str:
    """Return the table as Markdown, one line a group."""
    head = "| axis | group | mentions | documents | per million words | tone around | against all | caution |"
    lines = [head, "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        low, high = row.per_million_interval
        spans = [f"{value:+.3f} [{span[0]:+.3f}, {span[1]:+.3f}]" for value, span in (
            (row.tone, row.tone_interval), (row.difference, row.difference_interval))]  # fmt: skip
        lines.append(
            f"| {row.axis} | {row.group} | {row.mentions} | {row.documents} | {row.per_million:.1f} "
            f"[{low:.1f}, {high:.1f}] | {spans[0]} | {spans[1]} | {row.caution} |"
        )
    return "\n".join(lines)
