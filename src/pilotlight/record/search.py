"""What a search found, as it is written to ``search.json``: every trial, the winner, its risks and what to do."""

from __future__ import annotations

from typing import Any, Literal, final

from pilotlight.spec import Record
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.response import Response

NAME = "search.json"


@final
class SearchTrial(Record):
    """One point of the space, trained on seed 0."""

    number: int
    name: str
    """As in the ledger and in ``runs/``; ``baseline`` is the plan as it is."""
    set: dict[str, Any]
    """Value of every field that is searched."""
    status: Literal["finished", "failed", "pruned", "killed"]
    value: float | None
    """The metric; at its last evaluation, where the trial was given up."""
    reason: str = ""


@final
class Level(Record):
    """The trials with one choice of a field, or with a number from one stretch of its range."""

    name: str
    trials: int
    best: float | None
    median: float | None


@final
class FieldView(Record):
    """One field as the search saw it."""

    path: str
    importance: float | None
    """Share in what tells the better trials from the rest (PED-ANOVA); None where there are too few. See the cautions."""
    levels: tuple[Level, ...]


@final
class Finalist(Record):
    """A point that was trained on several seeds."""

    name: str
    set: dict[str, Any]
    values: dict[str, float]
    """Metric by seed."""
    shrunk: Estimate
    """Mean, shrunk towards the other finalists."""


@final
class Confirmation(Record):
    """A point against the plan as it is, on fresh seeds that chose nothing."""

    name: str
    set: dict[str, Any]
    values: dict[str, float]
    """Metric by seed."""
    effect: Estimate
    """Relative change of the metric against the plan as it is."""


@final
class SearchResult(Record):
    """The whole search. Nothing here depends on a clock or on the order in which trials ended."""

    question: str
    criteria: str
    """Hash of the pilot file that was fixed before the first trial."""
    metric: str
    unit: str
    better: Literal["lower", "higher"]
    scale: str
    sampler: dict[str, Any]
    """The sampler with all its arguments."""
    trials: tuple[SearchTrial, ...]
    """In order of their numbers."""
    left_out: int
    """Trials that the budget did not pay for."""
    fields: tuple[FieldView, ...]
    finalists: tuple[Finalist, ...]
    """Best first."""
    winner: str
    """The finalist with the best shrunken mean."""
    regret: Estimate
    """What taking the winner may lose against whichever finalist is truly the best."""
    risks: dict[str, Response]
    """By shaded field: what missing the best value costs, and the value to take."""
    confirmations: tuple[Confirmation, ...]
    recommended: dict[str, Any]
    """Values to set; empty: the plan as it is."""
    because: str
    cautions: tuple[str, ...]
    versions: dict[str, str]
