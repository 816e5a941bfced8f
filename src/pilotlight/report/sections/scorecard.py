"""Prediction against reality, once the full run has been trained."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.report.block import Block, Cell, Facts, cell
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import digits, effect, fixed
from pilotlight.report.wording import size, spoken


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
        target, facts = study.decision.target, study.full.facts
        reached = facts.metrics.get(target.metric)
        predicted = target.prediction
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
        met = reached <= target.threshold
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
                    ("Target", Cell(f"{fixed(target.threshold, places)} {target.unit}", "met" if met else "missed",
                                    tone="good" if met else "bad")),
                    trained,
                )),
            ),
        )  # fmt: skip
