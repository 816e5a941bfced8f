"""The full run between its two entries in the pilot's ledger: begun by a prediction, ended with a result."""

from __future__ import annotations

from pathlib import Path

from pilotlight.errors import RecordError
from pilotlight.manifest import NAME, sha256
from pilotlight.record import scorecards
from pilotlight.record.commitment import LANDED, LAUNCHED, Landed, committed, is_begun, launched_by
from pilotlight.record.ledger import Ledger
from pilotlight.record.run import Run
from pilotlight.record.scorecards import Scorecard, track
from pilotlight.spec import fingerprint, plain
from pilotlight.train.plan import Plan
from pilotlight.work.lease import hold


def begin(out: Path, plan: Plan) -> None:
    """Enter into the ledger of the pilot in ``out``, before its full run's first step, by which prediction it is begun.

    Nothing is entered where the run has ended already: a later prediction is not one of it.

    Raises:
        RecordError: the ledger was altered, or ``decision.json`` is not the one that was entered.
    """
    if (out / "full" / "run" / NAME).is_file():
        return
    with hold(out):
        ledger = Ledger(out / "ledger.jsonl")
        found = committed(ledger.entries())
        path = out / "decision.json"
        if found is None or not path.is_file() or sha256(path) != found.sha256:
            raise RecordError(
                f"{path} is not the decision that the ledger holds, so the full run would test no prediction. "
                f"Run `pilot decide {out}` first."
            )
        marks = {"decision": found.sha256, "plan": fingerprint(plan)}
        if not is_begun(ledger.entries(), marks["decision"], marks["plan"]):
            ledger.append(LAUNCHED, **marks)


def land(out: Path, run: Run) -> str:
    """Enter the end of the full run and keep its scorecard; return how earlier predictions fared, in words or nothing.

    Raises:
        RecordError: the ledger was altered.
    """
    digest = sha256(run.folder / NAME)
    with hold(out):
        ledger = Ledger(out / "ledger.jsonl")
        promise = launched_by(ledger.entries())
        if promise is None:
            return ""
        cards = scorecards.read()
        earlier = track(cards, but=digest)
        found = Landed(decision=promise.sha256, manifest_sha256=digest, metrics=run.facts.metrics, earlier=earlier)
        if not any(entry.facts.get("manifest_sha256") == digest for entry in ledger.entries(LANDED)):
            ledger.append(LANDED, **plain(found))
    predicted, reached = promise.prediction, run.facts.metrics.get(promise.metric)
    if predicted is not None and reached is not None:
        scorecards.keep(
            Scorecard(
                criteria=promise.criteria, decision=promise.sha256, run=digest, metric=promise.metric, unit=promise.unit,
                predicted=predicted.value, low=predicted.low, high=predicted.high, level=predicted.level, reached=reached,
                threshold=promise.threshold, reach=promise.reach,
            )
        )  # fmt: skip
    return scorecards.sentence(earlier)
