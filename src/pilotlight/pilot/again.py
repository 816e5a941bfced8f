"""What stands in the output folder of a pilot: its settings, its progress, its decision taken again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pilotlight.errors import RecordError
from pilotlight.pilot import adaptive, folds, trials
from pilotlight.pilot.calibration import Calibration
from pilotlight.pilot.execute import conclude
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.preregister import check_copy, fixed_calibration
from pilotlight.pilot.trials import Trial
from pilotlight.record.decision import Decision
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import ASIDE, TRIAL, Results
from pilotlight.spec import Record
from pilotlight.units import show_count
from pilotlight.work.lease import hold


class TrialState(Record):
    """One trial in ``pilot status``."""

    name: str
    status: str
    tokens: str
    result: str


class ProgressReport(Record):
    """How far a pilot is."""

    state: str
    """``decided``, ``under way`` or ``not begun``."""
    planned: int
    finished: int
    trials: tuple[TrialState, ...]


def open_pilot(out: Path) -> Pilot:
    """Return the pilot whose runs are in ``out``.

    Raises:
        RecordError: the folder holds none.
    """
    path = out / "pilot.json"
    try:
        return Pilot.model_validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecordError(f"{out} holds no pilot.json. Give the output folder of `pilot run`.") from error
    except ValueError as error:
        raise RecordError(f"{path} was edited or made by another version; run the pilot in a new --out.") from error


def _calibration(out: Path) -> Calibration | None:
    ledger = Ledger(out / "ledger.jsonl")
    ledger.verify()
    return fixed_calibration(ledger)


def progress_of(out: Path) -> ProgressReport:
    """Return how far the pilot in ``out`` is, also while it runs.

    Raises:
        RecordError: the folder holds no pilot, or its ledger was altered.
    """
    pilot = open_pilot(out)
    calibration = _calibration(out)
    wanted = _wanted(pilot, calibration, out)
    rows = {row.name: row for kind in (*ASIDE, TRIAL) for row in Results.open(out, verify=False, kind=kind).rows}
    parts = folds.round_of(pilot)
    wanted = [*wanted, *(parts.trials if parts else ())]
    names = list(dict.fromkeys([*(trial.name for trial in wanted), *rows]))
    found: list[TrialState] = []
    for name in names:
        row = rows.get(name)
        begun = (out / "runs" / name).is_dir()
        status = row.status if row else "under way" if begun else "waiting"
        result = f"{row.metrics[pilot.goal.metric]:.4f}" if row and row.metrics else (row.error if row else "")
        found.append(TrialState(name=name, status=status, tokens=show_count(row.tokens) if row else "", result=result))
    state = "decided" if (out / "decision.json").is_file() else "under way" if rows else "not begun"
    finished = sum(row.status == "finished" for row in rows.values())
    return ProgressReport(state=state, planned=len(names), finished=finished, trials=tuple(found))


def _wanted(pilot: Pilot, calibration: Calibration | None, out: Path) -> Sequence[Trial]:
    """Return the main trials as far as they are known: those of later rounds are not chosen yet."""
    if calibration is not None:
        return adaptive.schedule(pilot, calibration, Ledger(out / "ledger.jsonl")).inside
    return adaptive.opening(pilot) if pilot.allocation == "adaptive" else trials.wanted(pilot)


def decide_again(out: Path) -> Decision:
    """Return the decision that the finished trials in ``out`` lead to, written anew.

    Raises:
        RecordError: the folder holds no pilot, trials are missing, or a run was edited.
    """
    pilot = open_pilot(out)
    calibration = _calibration(out)
    if calibration is None:
        raise RecordError(f"{out} has no finished trial yet. Let `pilot run` go on.")
    with hold(out):
        check_copy(pilot, out, Ledger(out / "ledger.jsonl"))
        return conclude(pilot, out, calibration)
