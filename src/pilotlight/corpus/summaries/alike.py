"""Which documents went because others are like them: by similarity, by source of both, and the largest groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from pilotlight.corpus.summary import HELD_OUT, Summary

_MOST = 12


@final
@dataclass(frozen=True, slots=True)
class Pair:
    """Documents of one source that gave way to documents of another."""

    step: str
    source: str
    stays_in: str
    documents: int
    bytes: int
    same_file: int
    """How many of them stand in the same file as the one that stays."""


@final
@dataclass(frozen=True, slots=True)
class Cluster:
    """A document that stays, and how many went for it."""

    step: str
    twin: str
    source: str
    origin: str
    documents: int
    bytes: int
    least: float
    """Similarity of the least similar of them."""


def comparing_steps(summary: Summary) -> list[str]:
    """Return the steps that dropped documents for a twin in the corpus, in order."""
    rows = summary.ask(
        "SELECT DISTINCT gone.step FROM records gone JOIN records stays ON gone.twin = stays.id WHERE gone.twin IS NOT NULL"
    )
    known = {row[0] for row in rows}
    return [step for step in summary.order() if step in known]


def pairs(summary: Summary) -> list[Pair]:
    """Return by step and pair of sources how much went, the largest first."""
    rows = summary.ask(
        "SELECT gone.step, gone.source, stays.source, count(*), sum(gone.read), count(*) FILTER "
        "(split_part(gone.origin, '#', 1) = split_part(stays.origin, '#', 1) AND gone.source = stays.source) "
        "FROM records gone JOIN records stays ON gone.twin = stays.id WHERE gone.twin IS NOT NULL GROUP BY ALL "
        "ORDER BY 4 DESC, 1, 2, 3"
    )
    return [Pair(row[0], row[1], row[2], row[3], int(row[4]), row[5]) for row in rows]


def clusters(summary: Summary, most: int = _MOST) -> list[Cluster]:
    """Return the documents for which most others went; single copies are no cluster."""
    rows = summary.ask(
        "SELECT gone.step, gone.twin, any_value(stays.source), any_value(stays.origin), count(*), sum(gone.read), "
        "coalesce(min(gone.similarity), 0) FROM records gone JOIN records stays ON gone.twin = stays.id "
        f"WHERE gone.twin IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1 ORDER BY 5 DESC, 6 DESC, 2 LIMIT {int(most)}"
    )
    return [Cluster(row[0], row[1], row[2], row[3], row[4], int(row[5]), row[6]) for row in rows]


def similarities(summary: Summary, step: str, bins: int = 20) -> list[int]:
    """Return how many documents a step dropped by similarity to what stays: equal bins from 0 to 1."""
    rows = summary.ask(
        "SELECT least($last, floor(similarity * $bins))::INT AS bin, count(*) FROM records "
        "WHERE step = $step AND similarity IS NOT NULL GROUP BY bin",
        step=step, bins=bins, last=bins - 1,
    )  # fmt: skip
    found = dict(rows)
    return [found.get(place, 0) for place in range(bins)]


def held_out_copies(summary: Summary) -> dict[str, int]:
    """Return by step how many documents went because held-out text is like them; equal texts are under ``held_out``."""
    rows = summary.ask(
        "SELECT gone.step, count(*) FROM records gone JOIN records stays ON gone.twin = stays.id "
        "WHERE stays.fate = 'held_out' GROUP BY 1"
    )
    found = dict(rows)
    return {step: found[step] for step in [HELD_OUT, *summary.steps] if step in found}
