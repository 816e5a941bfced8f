"""The answer: what went in and what came out."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.corpus.summaries.amounts import readable
from pilotlight.report.block import Block, Cell, Headline
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.corpus_wording import share
from pilotlight.report.section import Slot
from pilotlight.report.text import fixed
from pilotlight.report.wording import counted, listed
from pilotlight.units import show_bytes

_CAUSES = 3


@final
class Answer(CorpusSection):
    """One sentence, four numbers, and the largest causes of loss."""

    slot: ClassVar[Slot] = Slot.HEADER
    order: ClassVar[int] = 10
    title: ClassVar[str] = "What came out"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return the headline."""
        facts, whole = study.summary.facts, readable(study.summary)
        dropped = facts.dropped_documents
        gone = sum(stage.gone.bytes for stage in study.stages) - facts.held_out.bytes
        figures = (
            ("Read", Cell(show_bytes(whole.bytes), counted(whole.documents, "document"))),
            ("Trained on", Cell(show_bytes(facts.train.bytes), counted(facts.train.documents, "document"))),
            ("Dropped", Cell(show_bytes(gone), counted(dropped, "document"))),
            ("Held out", Cell(show_bytes(facts.held_out.bytes), counted(facts.held_out.documents, "document"))),
        )
        worth = len(study.warnings)
        aside = sum(facts.quarantined.values())
        because = [
            f"{share(facts.train.bytes / study.whole)} of the {show_bytes(whole.bytes)} that were read from "
            f"{counted(len(facts.sources), 'source')} is trained on: {fixed(facts.train.documents, 0)} of "
            f"{counted(whole.documents, 'document')}.",
            *_causes(study),
            f"Every record is accounted for: {fixed(facts.records, 0)} read = {fixed(facts.train.documents, 0)} trained on + "
            f"{fixed(facts.held_out.documents, 0)} held out + {fixed(dropped, 0)} dropped + {fixed(aside, 0)} unreadable.",
        ]  # fmt: skip
        marks = (("Corpus", Cell(study.summary.corpus.fingerprint, code=True)),)
        headline = Headline(
            f"{show_bytes(facts.train.bytes)} to train on", "open" if worth else "good",
            f"Corpus built, {counted(worth, 'thing')} to look at first" if worth else "Corpus built, nothing stands out",
            tuple(because), figures, marks=marks,
        )  # fmt: skip
        return Block(pieces=(headline,))


def _causes(study: CorpusStudy) -> list[str]:
    lost = sorted(
        (stage for stage in study.stages if stage.gone.documents and stage.family != "held out"),
        key=lambda stage: -stage.gone.bytes,
    )
    if not lost:
        return ["Nothing was dropped."]
    told = [
        f"{stage.name} ({share(stage.gone.bytes / study.whole)} of the bytes, {counted(stage.gone.documents, 'document')})"
        for stage in lost[:_CAUSES]
    ]
    return [f"Most was taken away by {listed(told)}."]
