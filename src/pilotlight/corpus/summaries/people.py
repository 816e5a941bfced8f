"""Whom the text speaks of and how, and what a measure of toxicity flags: by source, language and group."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, final

from pilotlight.corpus.mentions import GroupRow, Mentions
from pilotlight.corpus.summaries.amounts import axes
from pilotlight.corpus.summaries.measured import spreads
from pilotlight.corpus.summaries.rates import rate
from pilotlight.corpus.summary import Summary, quoted
from pilotlight.stats.estimate import Estimate

MOST = 200_000
"""Documents that groups are counted over; of more, as many by the hash of their ids."""
_TOGETHER = 5000


@final
@dataclass(frozen=True, slots=True)
class Flagged:
    """How many documents of one value of an axis a filter flags, dropped or not."""

    value: str
    flagged: int
    measured: int

    @property
    def rate(self) -> Estimate | None:
        """Share of the measured documents that are flagged."""
        return rate(self.flagged, self.measured)


def threshold(summary: Summary, step: str) -> float | None:
    """Return the score from which a filter for toxicity flags a document, asked of the rule itself."""
    for spread in spreads(summary, step):
        if spread.column.endswith(".score"):
            return next((line.at for line in spread.lines if line.side == "above"), None)
    return None


def flagged(summary: Summary, step: str, axis: str, least: float) -> list[Flagged]:
    """Return by value of an axis how many documents score at least ``least``, the largest first."""
    score = quoted(f"{step}.score")
    rows = summary.ask(
        f"SELECT {axes(summary)[axis]} AS value, count(*) FILTER ({score} >= $least), count(*) FROM records "
        f"WHERE {score} IS NOT NULL GROUP BY value",
        least=least - 1e-9,
    )
    found = [Flagged(str(value), count, measured) for value, count, measured in rows]
    return sorted(found, key=lambda item: (-item.measured, item.value))


@final
@dataclass(frozen=True, slots=True)
class Groups:
    """What was counted of groups of people in documents with one fate."""

    rows: list[GroupRow]
    documents: int
    words: float
    flagged: dict[str, Flagged]
    """By axis/group: of the documents that name it, how many a filter for toxicity flags."""
    sampled: bool
    """Only as many documents as ``MOST`` were counted."""


def groups(summary: Summary, step: str, *, fate: str = "", score: str = "", least: float | None = None) -> Groups:
    """Return mentions and tones by group, over documents with a fate (empty: all), and how many of them are flagged."""
    names = [f"{step}.{name}" for name in ("groups", "words")]
    columns = [*map(quoted, names), quoted(score) if score else "NULL"]
    where = f"{columns[0]} IS NOT NULL" + (" AND fate = $fate" if fate else "")
    given: dict[str, Any] = {"fate": fate} if fate else {}
    [(count,)] = summary.ask(f"SELECT count(*) FROM records WHERE {where}", **given)
    some = f" ORDER BY md5(id) LIMIT {MOST}" if count > MOST else ""
    query = f"SELECT {', '.join(columns)} FROM records WHERE {where}{some}"
    asked = summary.connection.execute(query, given or None)
    mentions = Mentions()
    found: dict[str, list[int]] = {}
    while rows := asked.fetchmany(_TOGETHER):
        for text, words, value in rows:
            mentions.add({"groups": text, "words": words})
            if value is not None and least is not None:
                for name in json.loads(text):
                    pair = found.setdefault(name, [0, 0])
                    pair[0] += value >= least - 1e-9
                    pair[1] += 1
    table = mentions.table() if mentions.words else []
    rates = {name: Flagged(name, pair[0], pair[1]) for name, pair in sorted(found.items())}
    return Groups(table, mentions.documents, mentions.words, rates, bool(some))
