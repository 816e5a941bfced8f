"""The criteria, fixed in the ledger before the first trial, and what was fixed with them."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from pilotlight.errors import RecordError
from pilotlight.events import Note, Watcher
from pilotlight.manifest import sha256, versions, write_atomic
from pilotlight.pilot.calibration import Calibration, from_ledger
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.commitment import CRITERIA, DEVIATION, criteria_in_force
from pilotlight.record.ledger import Entry, Ledger
from pilotlight.record.results import ASIDE, SEARCH, TRIAL
from pilotlight.spec import diff, plain

CALIBRATION, STARTED, RETRIED = "calibration", "started", "retried"
COPY = "pilot.yaml"
MAY_DEVIATE = ("question", "goal.target", "goal.confidence", "goal.limits", "goal.hardware", "goal.margin")
"""Fields that decide nothing about the trials: they may change after the first one, if that is declared with a reason."""


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


def preregister(
    pilot: Pilot, out: Path, ledger: Ledger, watch: Watcher, *, source: Path | None = None, why: str = ""
) -> None:
    """Write the criteria into the ledger before the first trial, or check that they are the ones written there.

    As long as there is no trial the criteria may still change: each change is a new entry. Later only what decides nothing
    about the trials may, and only with the reason ``why``: such a deviation is an entry of its own, and is shown for ever.
    ``source`` is the file that the pilot was read from; a copy is kept.

    Raises:
        RecordError: the folder holds trials of another pilot; shows what differs.
    """
    ledger.verify()
    entry = criteria_in_force(ledger.entries())
    criteria = pilot.criteria
    facts = {"criteria": criteria, "pilot": plain(pilot), "file_sha256": "" if source is None else sha256(source)}
    if entry is None or not is_of(entry, pilot):
        begun = [item for kind in (TRIAL, *ASIDE, SEARCH) for item in ledger.entries(kind)]
        trials = len({str(item.facts.get("name")) for item in begun})
        if entry is not None and begun:
            changes = diff(_fixed(entry), plain(pilot))
            _refuse(out, changes, why)
            ledger.append(DEVIATION, **facts, was=entry.facts["criteria"], changes=changes, why=why, trials=trials)
            watch(Note(f"the criteria changed after {trials} trials: the report shows it as a deviation", "warning"))
        else:
            ledger.append(CRITERIA, **facts)
    if source is not None:
        write_atomic(out / COPY, source.read_text(encoding="utf-8"))
    last = criteria_in_force(ledger.entries())
    settings = plain(pilot) if last is None else last.facts["pilot"]  # an older version may have known fewer fields
    is_same, kept = settings == plain(pilot), out / "pilot.json"
    text = pilot.model_dump_json(indent=1) if is_same else json.dumps(settings, indent=1, ensure_ascii=False)
    if not kept.is_file() or kept.read_text(encoding="utf-8") != text:
        write_atomic(kept, text)
    _record_versions(ledger, watch)


def _refuse(out: Path, changes: dict[str, tuple[Any, Any]], why: str) -> None:
    """Refuse a change of criteria after the first trial that is not allowed, or not declared."""
    if not changes:
        raise RecordError(
            f"{out} was started with this plan, but a file that it names (goal.task, goal.hardware.receipt or .table) was edited "
            "since. Restore the file, give the plan another --out, or name an edited receipt or table by another file name and "
            'declare that: --deviate "why".'
        )
    shown = "".join(f"\n  {path}: {old} -> {new}" for path, (old, new) in list(changes.items())[:8])
    harmless = all(any(path == name or path.startswith(f"{name}.") for name in MAY_DEVIATE) for path in changes)
    if harmless and why:
        return
    way = "Give this plan another --out" + (', or declare the deviation: --deviate "why".' if harmless else ".")
    raise RecordError(
        f"{out} was started with another plan, whose criteria were fixed before its first trial:{shown}\n{way}"
    )


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
    """Return what was not the same from the first trial to the last: criteria, and versions of the software."""
    found = [
        f"criteria changed after {entry.facts['trials']} trials ({_shown(entry.facts['changes'])}): {entry.facts['why']}"
        for entry in ledger.entries(DEVIATION)
    ]
    seen = [entry.facts["versions"] for entry in ledger.entries(STARTED)]
    return (*found, *(f"versions changed on the way: {_changes(old, new)}" for old, new in pairwise(seen)))


def _shown(changes: dict[str, Any]) -> str:
    return ", ".join(f"{path} {old} -> {new}" for path, (old, new) in changes.items())


def check_copy(pilot: Pilot, out: Path, ledger: Ledger) -> None:
    """Return if ``pilot``, as it stands in ``out``, is the one whose criteria are in force.

    Raises:
        RecordError: it is not: the file was edited, so what it says was never fixed.
    """
    entry = criteria_in_force(ledger.entries())
    if entry is not None and _read(entry) != pilot:
        changes = _shown(diff(_fixed(entry), plain(pilot)))
        raise RecordError(
            f"{out / 'pilot.json'} is not the plan whose criteria are in the ledger ({changes[:300]}), so no verdict can stand "
            "on it. Run `pilot run` with the plan to write it anew."
        )


def is_of(entry: Entry, pilot: Pilot) -> bool:
    """Return whether ``entry`` holds the criteria of ``pilot``; an earlier version hashed them without the newer settings."""
    if entry.facts["criteria"] in (pilot.criteria, pilot.earlier_criteria):
        return True
    then = _read(entry)
    return then is not None and then == pilot and plain(then) != entry.facts["pilot"]


def as_first_fixed(ledger: Ledger) -> Pilot | None:
    """Return the pilot as its criteria were fixed before the first trial, where they were deviated from; None otherwise."""
    entry = fixed_criteria(ledger)
    return _read(entry) if entry is not None and ledger.entries(DEVIATION) else None


def _fixed(entry: Entry) -> dict[str, Any]:
    """Return the pilot in an entry as plain values, settings that are newer than it at their defaults where it can be read."""
    then = _read(entry)
    return entry.facts["pilot"] if then is None else plain(then)


def _read(entry: Entry) -> Pilot | None:
    """Return the pilot in an entry, fields that are newer than it at their defaults; None where it cannot be read."""
    try:
        return Pilot.model_validate(entry.facts["pilot"])
    except ValueError:
        return None
