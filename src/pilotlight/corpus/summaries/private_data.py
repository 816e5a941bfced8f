"""How much private data of each kind was found, where; counts only, never what was found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from pilotlight.corpus.private.kinds import KINDS
from pilotlight.corpus.summaries.rates import rate
from pilotlight.corpus.summary import Summary, quoted
from pilotlight.stats.estimate import Estimate


@final
@dataclass(frozen=True, slots=True)
class Found:
    """Private data of one kind."""

    kind: str
    meaning: str
    action: str
    """What the recipe does about it: redact, annotate, or ignore."""
    found: int
    documents: int
    looked_at: int
    sources: dict[str, int]
    """How often, by source."""
    per_million: float | None
    """Per million words, where words were counted; else None."""

    @property
    def touched(self) -> Estimate | None:
        """Share of the documents that hold some."""
        return rate(self.documents, self.looked_at)


@final
@dataclass(frozen=True, slots=True)
class Touched:
    """What was found in one source."""

    source: str
    found: int
    documents: int
    looked_at: int
    per_million: float | None
    per_megabyte: float

    @property
    def rate(self) -> Estimate | None:
        """Share of the documents that hold some private data."""
        return rate(self.documents, self.looked_at)


def words_column(summary: Summary) -> str:
    """Return the column with the number of words of a document; empty if no step counted them."""
    return summary.column_of("gopher", "words") or summary.column_of("identity", "words")


def private_data(summary: Summary, step: str) -> tuple[list[Found], list[Touched]]:
    """Return what a step for private data found, by kind and by source; kinds of which there is none are left out."""
    kinds = [kind for kind in KINDS if f"{step}.{kind}" in summary.columns]
    if not kinds:
        return [], []
    words = words_column(summary)
    word_sum = f"coalesce(sum({quoted(words)}), 0)" if words else "0"
    names = [quoted(f"{step}.{kind}") for kind in kinds]
    sums = ", ".join(f"coalesce(sum({name}), 0), count(*) FILTER ({name} > 0)" for name in names)
    every = " + ".join(names)
    rows = summary.ask(
        f"SELECT source, count(*), sum(read), {word_sum}, count(*) FILTER ({every} > 0), {sums} FROM records "
        f"WHERE {names[0]} IS NOT NULL GROUP BY source ORDER BY source"
    )
    own = summary.steps[step]
    looked_at, all_words = sum(row[1] for row in rows), sum(row[3] for row in rows)
    found: list[Found] = []
    for place, kind in enumerate(kinds):
        counts = {row[0]: int(row[5 + 2 * place]) for row in rows if row[5 + 2 * place]}
        total = sum(counts.values())
        if total:
            found.append(Found(
                kind, KINDS[kind].meaning, own.kinds.get(kind, KINDS[kind].action), total,
                sum(row[6 + 2 * place] for row in rows), looked_at, counts, 1e6 * total / all_words if all_words else None,
            ))  # fmt: skip
    touched: list[Touched] = []
    for row in rows:
        total = int(sum(row[5 + 2 * place] for place in range(len(kinds))))
        million = 1e6 * total / row[3] if row[3] else None
        touched.append(Touched(row[0], total, row[4], row[1], million, 1e6 * total / max(1, int(row[2]))))
    return sorted(found, key=lambda item: (-item.found, item.kind)), sorted(
        touched, key=lambda item: (-item.found, item.source)
    )
