"""Piles of documents made in this process, for tests of the steps that compare documents."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from pilotlight.corpus.document import Document, document_id
from pilotlight.corpus.pile import Decision, Pile, facts, make_split, read_decisions
from pilotlight.work.flow import Flow
from pilotlight.work.pool import Pool


def document(name: str, text: str, source: str = "texts") -> Document:
    return Document(text, document_id(source, name, "1"), source, f"{name}#1")


def decide(part, *splits: Sequence[Document], fixed: Sequence[Document] = (), compared=None) -> dict[str, Decision]:
    """What a step decides on documents in these splits, by id."""
    found: dict[str, Decision] = {}
    with tempfile.TemporaryDirectory() as name, Pool(0) as inline:
        folder = Path(name)
        flow = Flow(folder, inline)
        given = tuple(make_split(folder / "given", split, flow) for split in splits)
        held = make_split(folder / "given", fixed, flow) if fixed else None
        units = part.decide(Pile(flow, "step", given, held))
        assert len(units) == len(splits)
        if compared is not None:
            compared += [facts(unit)["compared"] for unit in (folder / "step.verify").iterdir()]
        for split, unit in zip(splits, units, strict=True):
            decisions = read_decisions(unit)
            order = [item.id for item in split]
            assert list(decisions) == sorted(decisions, key=order.index), (
                "decisions stand in the order of the documents"
            )
            found |= decisions
    return found


def gone(part, *splits: Sequence[Document], fixed: Sequence[Document] = ()) -> dict[str, tuple[str, float | None]]:
    """Twin and similarity of every document that has to go or is cut, by id."""
    return {
        id: (decision.twin or decision.cuts[0][2], decision.similarity)
        for id, decision in decide(part, *splits, fixed=fixed).items() if decision.drop or decision.cuts
    }  # fmt: skip


def told(part, *splits: Sequence[Document]) -> dict:
    """What a step returns to be told with the corpus."""
    with tempfile.TemporaryDirectory() as name, Pool(0) as inline:
        flow = Flow(Path(name), inline)
        pile = Pile(flow, "step", tuple(make_split(Path(name) / "given", split, flow) for split in splits))
        units = part.decide(pile)
        assert all(facts(unit)["decisions"] >= 0 for unit in units)
        return part.report(pile, units)
