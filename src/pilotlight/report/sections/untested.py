"""What this pilot does not say anything about."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.report.block import Block, Items
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.wording import sentences


@final
class Untested(Section):
    """The gaps, in plain words."""

    slot: ClassVar[Slot] = Slot.METHOD
    order: ClassVar[int] = 90
    title: ClassVar[str] = "Not tested"

    def write(self, study: Study) -> Block | None:
        """Return what was not tested, or None where nothing is stated."""
        if study.decision is None or not study.decision.not_tested:
            return None
        return Block(
            "The decision is silent on these; they can still sink the full run.",
            (Items(sentences(study, study.decision.not_tested)),),
        )
