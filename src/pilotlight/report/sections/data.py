"""What became of the text: kept, held out, dropped and why, and how often it was repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

from pilotlight.corpus.facts import CorpusFacts
from pilotlight.manifest import Manifest
from pilotlight.report.block import Block, Cell, Fold, Paragraph, Piece, Table
from pilotlight.report.section import Section, Slot
from pilotlight.report.study import Study
from pilotlight.report.text import fixed, percent
from pilotlight.report.wording import amount, counted, listed
from pilotlight.units import show_bytes, show_count

_COLUMNS = ("Source", "Read", "Trained on", "Held out", "Dropped", "Quarantined")


@final
class Data(Section):
    """Counts of every corpus, and repetition and fit of the runs on it."""

    slot: ClassVar[Slot] = Slot.METHOD
    order: ClassVar[int] = 20
    title: ClassVar[str] = "Data"

    def write(self, study: Study) -> Block | None:
        """Return the counts, or None where no corpus was built."""
        pieces: list[Piece] = []
        lead = ""
        several = len(study.corpora) > 1
        for manifest in study.corpora:
            facts = _facts(manifest)
            if facts is None:
                continue
            lead = lead or _lead(facts)
            if several:
                pieces.append(Paragraph(f"Corpus {manifest.fingerprint}"))
            pieces += [_sources(facts), *_reasons(facts)]
        repetition = _repetition(study)
        if repetition is not None:
            pieces.append(repetition)
        return Block(lead, tuple(pieces)) if pieces else None


def _facts(manifest: Manifest) -> CorpusFacts | None:
    try:
        return CorpusFacts.model_validate(manifest.facts)
    except ValueError:
        return None


def _lead(facts: CorpusFacts) -> str:
    return (
        f"{counted(facts.records, 'record')} read: {fixed(facts.train.documents, 0)} trained on "
        f"({show_bytes(facts.train.bytes)}), {fixed(facts.held_out.documents, 0)} held out "
        f"({show_bytes(facts.held_out.bytes)}), {fixed(facts.dropped_documents, 0)} dropped, "
        f"{fixed(sum(facts.quarantined.values()), 0)} quarantined. Nothing is unaccounted for."
    )


def _sources(facts: CorpusFacts) -> Table:
    rows = [
        (
            Cell(name, f"{found.kind}, {counted(found.files, 'file')}", _passed_over(found.passed_over)),
            amount(found.read.documents, found.read.bytes), amount(found.train.documents, found.train.bytes),
            amount(found.held_out.documents, found.held_out.bytes), amount(found.dropped.documents, found.dropped.bytes),
            amount(sum(found.quarantined.values())),
        )
        for name, found in facts.sources.items()
    ]  # fmt: skip
    return Table(_COLUMNS, tuple(rows), frozenset(_COLUMNS[1:]), caption="Documents, and their UTF-8 bytes.")


def _passed_over(endings: Mapping[str, int]) -> str:
    return f"not read: {listed(f'{count} {ending}' for ending, count in endings.items())}" if endings else ""


def _reasons(facts: CorpusFacts) -> list[Fold]:
    rows = [
        (Cell(step), Cell(reason), amount(found.documents, found.bytes))
        for step, reasons in facts.dropped.items()
        for reason, found in reasons.items()
    ]
    rows += [(Cell("quarantine"), Cell(reason), amount(count)) for reason, count in facts.quarantined.items()]
    rows += [(Cell(step), Cell("edited, kept"), amount(count)) for step, count in facts.edited.items() if count]
    if not rows:
        return []
    table = Table(("Step", "Reason", "Documents"), tuple(rows), frozenset({"Documents"}))
    return [Fold("Why text was dropped, set aside or edited", (table,))]


def _repetition(study: Study) -> Table | None:
    rows: list[tuple[Cell, ...]] = []
    for scale in study.scales():
        runs = [row for row in study.rows() if row.scale == scale and row.status == "finished"]
        if not runs:
            continue
        fits = {name: sum(row.fit.startswith(name) for row in runs) for name in ("underfit", "overfit")}
        poor = [f"{count} {name}" for name, count in fits.items() if count]
        epochs = sorted(row.epochs for row in runs)
        rows.append((
            Cell(scale), Cell(str(len(runs))), Cell(show_count(runs[0].tokens)),
            Cell(fixed(epochs[len(epochs) // 2], 2), f"to {fixed(epochs[-1], 2)}" if epochs[-1] - epochs[0] > 0.01 else ""),
            Cell(", ".join(poor) or "ok", tone="open" if poor else ""),
        ))  # fmt: skip
    full = _full_epochs(study)
    if full is not None:
        rows.append(
            (Cell("full run"), Cell("–"), Cell(show_count(study.setting("goal.full_run.tokens"))), full, Cell("–"))
        )
    if not rows:
        return None
    return Table(
        ("Rung", "Runs", "Tokens", "Epochs", "Fit"), tuple(rows), frozenset({"Runs", "Tokens", "Epochs"}),
        caption="Epochs: how often the training text was gone through. A pilot should repeat its text as the full run will.",
    )  # fmt: skip


def _full_epochs(study: Study) -> Cell | None:
    tokens: Any = study.setting("goal.full_run.tokens")
    packed = next((manifest.facts.get("splits", {}).get("train", {}).get("tokens") for manifest in study.tokens), None)
    if not isinstance(tokens, int | float) or not isinstance(packed, int) or packed <= 0:
        return None
    epochs = tokens / packed
    return Cell(fixed(epochs, 2), "", percent(epochs, 0) + " of the packed text", tone="open" if epochs > 4 else "")
