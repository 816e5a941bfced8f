"""The extension point of the page of a corpus: one file in ``corpus_sections`` per part of it."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from pilotlight.report.block import Block
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.section import Slot
from pilotlight.spec import Part, discover


class CorpusSection(Part):
    """One part of the page of a corpus. It turns counts into plain text, tables and charts, and never into HTML."""

    folder: ClassVar[str] = "pilotlight.report.corpus_sections"
    slot: ClassVar[Slot]
    order: ClassVar[int]
    """Place within the slot."""
    title: ClassVar[str]

    @abstractmethod
    def write(self, study: CorpusStudy) -> Block | None:
        """Return what there is to say about the corpus, or None where there is nothing."""


def corpus_sections() -> tuple[CorpusSection, ...]:
    """Return every section of the folder in the order of the page."""
    found = [kind() for kind in discover(CorpusSection.folder).values()]
    chosen = [part for part in found if isinstance(part, CorpusSection)]
    return tuple(sorted(chosen, key=lambda section: (section.slot, section.order, section.kind)))
