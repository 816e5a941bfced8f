"""Prediction against reality, once the full run has been trained."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.record.decision import Decision
from pilotlight.record.expense import STEPS, THIS_MACHINE
from pilotlight.report.block import Block, Cell, Facts, cell
from pilotlight.report.full_run import FullRun
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import digits, effect, fixed, percent
from pilotlight.report.wording import counted, duration, size, spoken
from pilotlight.stats.metric import METRICS
from pilotlight.stats.share import wilson
from pilotlight.units import show_seconds


@final
class Scorecard(Section):
    """What the full run reached beside what was predicted for it."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 0
    title: ClassVar[str] = "Prediction against reality"

    def write(self, study: Study) -> Block | None:
        """Return the scorecard, or None while there is no full run."""
        if study.full is None or study.decision is None:
            return None
        target, facts, promise = study.decision.target, study.full.facts, study.full.promise
        reached = facts.metrics.get(target.metric)
        predicted = promise.prediction if promise else target.prediction
        if reached is None or predicted is None:
            return None
        places = digits(predicted.half_width)
        value = (f"Reached {spoken(target.metric)}", Cell(fixed(reached, places), target.unit))
        trained = ("Size", Cell(size(facts.parameters, facts.tokens), f"fit: {facts.fit}", facts.why))
        forecast = study.decision.forecast
        unlike = list(study.full.unlike)
        if forecast is not None and not 0.95 < facts.flops / forecast.flops < 1.05:
            unlike.append("of another size than was predicted")
        if unlike:
            return Block(
                f"A full run was trained, but it is {', '.join(unlike)}: it does not test the forecast.",
                (Facts((value, ("Predicted for the full run", cell(predicted, unit=True)), trained)),),
            )
        inside = predicted.low <= reached <= predicted.high
        threshold = promise.threshold if promise else target.threshold
        met = reached <= threshold if METRICS[target.metric].better == "lower" else reached >= threshold
        return Block(
            lead=f"The full run was trained. Its {spoken(target.metric)} is {fixed(reached, places)}, "
            f"{'inside' if inside else 'outside'} the predicted interval, and it "
            f"{'reached' if met else 'missed'} the target.",
            pieces=(
                Facts((
                    value,
                    ("Predicted", cell(predicted, unit=True)),
                    ("Difference", Cell(effect(reached / predicted.value - 1))),
                    ("Inside the interval", Cell("yes" if inside else "no", tone="good" if inside else "bad")),
                    ("Target", Cell(f"{fixed(threshold, places)} {target.unit}", "met" if met else "missed",
                                    tone="good" if met else "bad")),
                    trained,
                    *_took(study, study.decision, study.full),
                    ("Written down", _written_down(study.full)),
                    *_earlier(study.full),
                )),
            ),
        )  # fmt: skip


def _took(study: Study, decision: Decision, full: FullRun) -> tuple[tuple[str, Cell], ...]:
    """Return the time of the training steps beside what was said of it; nothing where one of the two is not known.

    What was said of other hardware, or by a receipt of it, is not held against a run that may have been trained here.
    """
    if (
        study.setting("goal.hardware.accelerator", "") != THIS_MACHINE
        or study.setting("goal.hardware.receipt") is not None
    ):
        return ()
    said = next((line.seconds for line in decision.cost.lines if line.name == STEPS), None)
    if said is None or full.seconds is None or decision.cost.basis != "measured":
        return ()
    if not 0.95 < full.facts.flops / decision.cost.flops < 1.05:
        return ()
    inside = said.low <= full.seconds <= said.high
    return (
        ("Training steps took", Cell(show_seconds(full.seconds), f"{effect(full.seconds / said.value - 1)} on what was said",
                                     tone="good" if inside else "bad")),
        ("Said of it", duration(said)),
    )  # fmt: skip


def _written_down(full: FullRun) -> Cell:
    """Return whether the ledger proves that the prediction came before the run."""
    if full.promise is None:
        return Cell(
            "not proven", "no entry in the ledger names this run after its prediction",
            "train it with `pilot train OUT/full.yaml`, which enters beginning and end in the ledger", tone="open",
        )  # fmt: skip
    note = f"decision.json with the SHA-256 {full.promise.sha256} was entered before the run began"
    return Cell("before the run began", f"decision {full.promise.sha256[:16]}, by the ledger", note, tone="good")


def _earlier(full: FullRun) -> tuple[tuple[str, Cell], ...]:
    """Return how this user's earlier predictions fared; nothing where there were none."""
    if full.end is None or not full.end.earlier.predictions:
        return ()
    found = full.end.earlier
    low, high = wilson(found.inside, found.predictions)
    text = f"{found.inside} of {counted(found.predictions, 'earlier prediction')} inside"
    return (("Before this one", Cell(text, f"{percent(low, 0)} to {percent(high, 0)}, Wilson 95 %")),)
