"""What should be looked at before anything is trained on the corpus."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.report.block import Block, Items
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.section import Slot


@final
class Attention(CorpusSection):
    """Warnings, the gravest first."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 5
    title: ClassVar[str] = "Look at first"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return the warnings, or None where there are none."""
        return Block(pieces=(Items(tuple(study.warnings)),)) if study.warnings else None
