"""The extension point of the page: one file in ``sections`` per part of the report."""

from __future__ import annotations

from abc import abstractmethod
from enum import IntEnum
from typing import ClassVar

from pilotlight.report.block import Block
from pilotlight.report.study import Study
from pilotlight.spec import Part, discover


class Slot(IntEnum):
    """Where on the page a section stands: the answer, what it rests on, how it was made, everything else."""

    HEADER = 0
    EVIDENCE = 1
    METHOD = 2
    APPENDIX = 3


class Section(Part):
    """One part of the page. It turns records into plain text, tables and charts, and never into HTML."""

    folder: ClassVar[str] = "pilotlight.report.sections"
    slot: ClassVar[Slot]
    order: ClassVar[int]
    """Place within the slot."""
    title: ClassVar[str]

    @abstractmethod
    def write(self, study: Study) -> Block | None:
        """Return what there is to say about the study, or None where there is nothing."""


def sections() -> tuple[Section, ...]:
    """Return every section of the folder in the order of the page."""
    found = [kind() for kind in discover(Section.folder).values()]
    chosen = [part for part in found if isinstance(part, Section)]
    return tuple(sorted(chosen, key=lambda section: (section.slot, section.order, section.kind)))
