"""Whether the held-out text is like the rest: the baseline with each part of the text held out in turn."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.record.decision import CrossValidation
from pilotlight.report.block import Block, Cell, Facts, Items, Piece, cell, effect_cell
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import digits, effect, fixed, percent
from pilotlight.report.wording import listed, metric_of, sentences, spoken


@final
class Folds(Section):
    """Cross-validation of the baseline at the lowest rung."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 36
    title: ClassVar[str] = "Cross-validation"

    def write(self, study: Study) -> Block | None:
        """Return what the parts came to, or None where the pilot held out one alone."""
        found = study.decision.cross_validation if study.decision else None
        if found is None:
            return None
        places = digits(found.score.half_width)
        first, *others = (fixed(score, places) for score in found.scores)
        pieces: list[Piece] = [
            Facts((
                ("Mean over parts", cell(found.score, unit=True)),
                ("The held-out text", Cell(first, "the part that the comparison holds out")),
                ("The other parts", Cell(listed(others))),
                ("Its difference from their mean", effect_cell(found.first, tone="open" if _is_apart(found) else "")),
            )),
        ]  # fmt: skip
        if found.score.cautions:
            pieces.append(Items(sentences(study, found.score.cautions), "Cautions"))
        return Block(f"{_lead(study, found)} It enters no verdict.", tuple(pieces))


def _is_apart(found: CrossValidation) -> bool:
    return not found.first.low <= 0.0 <= found.first.high


def _lead(study: Study, found: CrossValidation) -> str:
    metric = metric_of(study)
    told = (
        f"The baseline at {found.rung} was trained {len(found.scores)} more times, each with its own part of the documents held "
        "out and scored; the first part is the held-out text of the comparison."
    )
    if not _is_apart(found):
        return (
            f"{told} It is not told apart from the others: a difference below {percent(found.first.half_width, 1)} would not be "
            "seen."
        )
    harder = (found.first.value > 0.0) == (metric.better == "lower")
    return (
        f"{told} It is {'harder' if harder else 'easier'} than the others: its {spoken(metric.name)} is "
        f"{effect(found.first.value)} from theirs, beyond chance. The target, and what is predicted for it, speak of that text: "
        "hold out more (corpus.held_out) where they should speak of the whole."
    )
