"""The text that is kept out of training to measure on."""

from __future__ import annotations

from typing import ClassVar, final

from pilotlight.corpus.summaries.alike import held_out_copies
from pilotlight.corpus.summary import HELD_OUT
from pilotlight.report.block import Block, Cell, Table
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.corpus_wording import amount_cell, share
from pilotlight.report.section import Slot
from pilotlight.report.wording import counted, listed
from pilotlight.units import show_bytes


@final
class HeldOut(CorpusSection):
    """What is held out, by source, and what went because it is like it."""

    slot: ClassVar[Slot] = Slot.METHOD
    order: ClassVar[int] = 10
    title: ClassVar[str] = "Held-out text"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return the held-out amounts, or None where nothing is held out."""
        facts = study.summary.facts
        if not facts.held_out.documents:
            return None
        asked = study.summary.recipe.held_out
        copies = held_out_copies(study.summary)
        gone = [
            f"{counted(count, 'document')} by {'reading the same' if step == HELD_OUT else step}"
            for step, count in copies.items()
        ]
        lead = (
            f"{counted(facts.held_out.documents, 'document')} ({show_bytes(facts.held_out.bytes)}) were chosen by the hash of "
            f"their ids before any step ran ({share(asked)} asked for) and are kept as they were read, the same for every recipe "
            "over these sources. "
            + (
                f"Dropped from training for being like them: {listed(gone)}."
                if gone
                else "No training text was found to be like them."
            )
        )
        whole = facts.held_out.bytes
        rows = [
            (Cell(name), amount_cell(item.held_out, whole), Cell(share(item.held_out.bytes / max(1, item.read.bytes))))
            for name, item in facts.sources.items()
        ]
        columns = ("Source", "Held out", "Of the source")
        return Block(
            lead,
            (
                Table(
                    columns,
                    tuple(rows),
                    frozenset(columns[1:]),
                    "Share of the held-out bytes, and share of the bytes of the source.",
                ),
            ),
        )
