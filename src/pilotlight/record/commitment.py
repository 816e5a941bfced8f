"""What was written down before the full run began, in the pilot's ledger, and what came of it.

The order of the entries is the proof: ``decision`` holds the prediction and the hash of ``decision.json``, ``launched`` names
that decision before the first step of the full run, ``landed`` holds the hash of the finished run. Each entry holds the hash
of the one before, so none can be put in, changed or moved later without the chain showing it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from pilotlight.record.decision import Decision
from pilotlight.record.ledger import Entry, Ledger
from pilotlight.spec import Record, plain
from pilotlight.stats.estimate import Estimate

CRITERIA, DEVIATION = "criteria", "deviation"
DECISION, LAUNCHED, LANDED = "decision", "launched", "landed"


class Commitment(Record):
    """A prediction for the full run as it stands in the ledger."""

    sha256: str
    """Of ``decision.json``."""
    criteria: str
    launch: str
    metric: str
    unit: str
    threshold: float
    parameters: float
    tokens: float
    prediction: Estimate | None
    probability: float | None
    reach: float | None
    """FLOPs of the full run as a multiple of those of the largest pilot."""


class Track(Record):
    """How many earlier predictions were inside their intervals."""

    predictions: int = 0
    inside: int = 0


class Landed(Record):
    """The full run as it ended."""

    decision: str
    """SHA-256 of the decision that it was launched by."""
    manifest_sha256: str
    metrics: dict[str, float]
    earlier: Track = Track()
    """Of the predictions of this user before this one."""


def criteria_in_force(entries: Sequence[Entry]) -> Entry | None:
    """Return the entry with the criteria that count: the last ones before the first trial, or a declared deviation from them."""
    return next((entry for entry in reversed(entries) if entry.kind in (CRITERIA, DEVIATION)), None)


def commit(ledger: Ledger, decision: Decision, text: str) -> None:
    """Enter the decision that ``text``, the content of ``decision.json``, holds; nothing where it is the last one already."""
    digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
    last = next(reversed(ledger.entries(DECISION)), None)
    if last is not None and last.facts.get("sha256") == digest:
        return
    target = decision.target
    found = Commitment(
        sha256=digest, criteria=decision.criteria, launch=str(decision.launch), metric=target.metric, unit=target.unit,
        threshold=target.threshold, parameters=target.parameters, tokens=target.tokens, prediction=target.prediction,
        probability=target.probability, reach=decision.forecast.reach if decision.forecast else None,
    )  # fmt: skip
    ledger.append(DECISION, **plain(found))


def committed(entries: Sequence[Entry]) -> Commitment | None:
    """Return the last prediction in a ledger, or None."""
    return _commitment(next((entry for entry in reversed(entries) if entry.kind == DECISION), None))


def _commitment(entry: Entry | None) -> Commitment | None:
    try:
        return None if entry is None else Commitment.model_validate(entry.facts)
    except ValueError:
        return None


def launched_by(entries: Sequence[Entry]) -> Commitment | None:
    """Return the prediction that stood in the ledger when the full run was last begun; None where that is not written down."""
    launch = next((entry for entry in reversed(entries) if entry.kind == LAUNCHED), None)
    if launch is None:
        return None
    before = [entry for entry in entries if entry.kind == DECISION and entry.index < launch.index]
    found = _commitment(before[-1] if before else None)
    return found if found is not None and found.sha256 == launch.facts.get("decision") else None


def landed(entries: Sequence[Entry]) -> Landed | None:
    """Return the last end of a full run in a ledger that was begun before; None where there is none."""
    begun = next((entry for entry in reversed(entries) if entry.kind == LAUNCHED), None)
    ended = next((entry for entry in reversed(entries) if entry.kind == LANDED), None)
    if begun is None or ended is None or ended.index < begun.index:
        return None
    try:
        return Landed.model_validate(ended.facts)
    except ValueError:
        return None


def is_begun(entries: Sequence[Entry], decision: str, plan: str) -> bool:
    """Return whether the last full run that was begun is of that plan, by that decision, and has not ended."""
    last: Mapping[str, Any] = next(
        (entry.facts for entry in reversed(entries) if entry.kind in (LAUNCHED, LANDED)), dict[str, Any]()
    )
    return (last.get("decision"), last.get("plan")) == (decision, plan)
