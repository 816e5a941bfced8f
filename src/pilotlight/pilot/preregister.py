"""The criteria, fixed in the ledger before the first trial, and what was fixed with them."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from pilotlight.errors import RecordError
from pilotlight.events import Note, Watcher
from pilotlight.manifest import versions, write_atomic
from pilotlight.pilot.calibration import Calibration, from_ledger
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.ledger import Entry, Ledger
from pilotlight.record.results import TRIAL
from pilotlight.spec import diff, plain

CRITERIA, CALIBRATION, STARTED, RETRIED = "criteria", "calibration", "started", "retried"


def fixed_criteria(ledger: Ledger) -> Entry | None:
    """Return the entry that holds the criteria in force, or None; only the last one before the first trial counts."""
    return next(reversed(ledger.entries(CRITERIA)), None)


def fixed_calibration(ledger: Ledger) -> Calibration | None:
    """Return the calibration made for the criteria in force, or None.

    Raises:
        RecordError: the entry cannot be read.
    """
    criteria = fixed_criteria(ledger)
    entry = next(reversed(ledger.entries(CALIBRATION)), None)
    if entry is None or criteria is None or entry.index < criteria.index:
        return None
    return from_ledger(entry.facts)


def preregister(pilot: Pilot, out: Path, ledger: Ledger, watch: Watcher) -> None:
    """Write the criteria into the ledger before the first trial, or check that they are the ones written there.

    As long as there is no trial the criteria may still change: each change is a new entry.

    Raises:
        RecordError: the folder holds trials of another pilot; shows what differs.
    """
    ledger.verify()
    entry = fixed_criteria(ledger)
    criteria = pilot.criteria
    if entry is not None and entry.facts["criteria"] != criteria and ledger.entries(TRIAL):
        changes = diff(entry.facts["pilot"], plain(pilot))
        shown = "".join(f"\n  {path}: {old} -> {new}" for path, (old, new) in list(changes.items())[:8])
        raise RecordError(
            f"{out} was started with another plan, whose criteria were fixed before its first trial:{shown}\n"
            "Give this plan another --out."
        )
    if entry is None or entry.facts["criteria"] != criteria:
        ledger.append(CRITERIA, criteria=criteria, pilot=plain(pilot))
    text = pilot.model_dump_json(indent=1)
    kept = out / "pilot.json"
    if not kept.is_file() or kept.read_text(encoding="utf-8") != text:
        write_atomic(kept, text)
    _record_versions(ledger, watch)


def _record_versions(ledger: Ledger, watch: Watcher) -> None:
    made_by = versions("torch", "numpy", "scipy", "tokenizers")
    last: dict[str, Any] = next((entry.facts["versions"] for entry in reversed(ledger.entries(STARTED))), {})
    if last == made_by:
        return
    if last:
        watch(
            Note(f"versions changed since this pilot began ({_changes(last, made_by)}); the ledger keeps it", "warning")
        )
    ledger.append(STARTED, versions=made_by)


def _changes(old: dict[str, Any], new: dict[str, Any]) -> str:
    return ", ".join(f"{name} {before} -> {after}" for name, (before, after) in diff(old, new).items())


def deviations(ledger: Ledger) -> tuple[str, ...]:
    """Return what was not the same from the first trial to the last: versions of the software."""
    seen = [entry.facts["versions"] for entry in ledger.entries(STARTED)]
    return tuple(f"versions changed on the way: {_changes(old, new)}" for old, new in pairwise(seen))
