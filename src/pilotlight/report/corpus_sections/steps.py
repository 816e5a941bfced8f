"""Each step by itself: reasons, what it measured, and documents to look at by eye, kept and dropped side by side."""

from __future__ import annotations

import inspect
from itertools import zip_longest
from typing import Any, ClassVar, cast, final

from pilotlight.corpus.facts import Amount
from pilotlight.corpus.summaries.measured import Spread
from pilotlight.corpus.summaries.rates import rate
from pilotlight.corpus.summaries.would import Would
from pilotlight.corpus.summary import HELD_OUT
from pilotlight.report.block import Block, Card, Cards, Cell, Facts, Fold, Grid, Paragraph, Piece, Table
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy, Looks
from pilotlight.report.corpus_wording import amount_cell, brief, card, histogram, rate_cell, share
from pilotlight.report.section import Slot
from pilotlight.report.text import fixed, setting
from pilotlight.report.wording import counted
from pilotlight.spec import Part
from pilotlight.units import show_bytes

_MOST_CHARTS = 4
_MOST_IN_ALL = 20
_REPEATS = (
    "Training text that reads the same as held-out text, as it was read or as the edits leave it, is dropped in every build: "
    "a model must not be scored on what it was trained on."
)


_CHARTS = (
    "Blue: trained on ({}).{} Grey: where the rule {}, found by asking the rule. The outermost bins hold what lies beyond "
    "them."
)


@final
class Steps(CorpusSection):
    """What every step did, in order; closed until one is opened."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 30
    title: ClassVar[str] = "Step by step, with samples to look at"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return a part for each step that measured, changed or dropped something."""
        charts = _charted(study)
        folds = [
            fold for step in study.summary.order() if (fold := _step(study, step, charts.get(step, []))) is not None
        ]
        if not folds:
            return None
        lead = (
            "Samples are chosen by the hash of their ids, not because they look good or bad; private data in them is replaced. "
            "Numbers alone do not tell whether a rule is right: open the steps that take most, and read."
        )
        return Block(lead, tuple(folds))


def _charted(study: CorpusStudy) -> dict[str, list[Spread]]:
    """Return the spreads that are worth a chart by step: first those with a line that something is beyond."""
    ranked: list[tuple[int, str, Spread]] = []
    for step, found in study.spreads.items():
        reasons = study.summary.facts.dropped.get(step, {})
        for spread in found:
            if spread.column.startswith(("language.", "identity.")) and not spread.lines:
                continue
            would = study.would[step].reasons if step in study.would else {}
            beyond = sum(would.get(line.reason, 0) for line in spread.lines)
            beyond += sum(reasons[line.reason].documents for line in spread.lines if line.reason in reasons)
            worth = 2 if beyond else 1 if sum(spread.dropped) else 0
            if worth and sum(spread.kept) + sum(spread.dropped) > 1:
                ranked.append((-worth * 10**9 - beyond, step, spread))
    chosen: dict[str, list[Spread]] = {}
    count = 0
    for _, step, spread in sorted(ranked, key=lambda item: (item[0], item[2].column)):
        if count < _MOST_IN_ALL and len(chosen.get(step, [])) < _MOST_CHARTS:
            chosen.setdefault(step, []).append(spread)
            count += 1
    return chosen


def _step(study: CorpusStudy, step: str, charts: list[Spread]) -> Fold | None:
    facts = study.summary.facts
    reasons, edited = facts.dropped.get(step, {}), facts.edited.get(step, 0)
    rule = study.summary.steps.get(step)
    found = study.spreads.get(step, [])
    if not (reasons or edited or found):
        return None
    pieces: list[Any] = [Paragraph(_REPEATS if step == HELD_OUT else _about(rule), "quiet")]
    changed = _changed(rule)
    if changed:
        pieces.append(Facts(changed))
    if step in study.would and study.would[step].reasons:
        pieces.append(_would(study.would[step]))
    if len(reasons) > 1:
        pieces.append(_reasons(study, reasons))
    if charts:
        kept, dropped = _counts(charts[0])
        gone = f" Orange: dropped by this step ({fixed(dropped, 0)})." if dropped else ""
        drops = "drops" if dropped else "would drop"
        pieces.append(Paragraph(_CHARTS.format(fixed(kept, 0), gone, drops)))
        pieces.append(Grid(tuple(histogram(spread, f"{spread.column.replace('.', '-')}") for spread in charts)))
    if found:
        pieces.append(Fold("Everything it measured", (_measured(found),)))
    if step in study.looks:
        pieces += _looks(study.looks[step])
    return Fold(_summary(study, step, reasons, edited), tuple(pieces))


def _counts(spread: Spread) -> tuple[int, int]:
    zeros = spread.zeros or (0, 0)
    return sum(spread.kept) + zeros[0], sum(spread.dropped) + zeros[1]


def _summary(study: CorpusStudy, step: str, reasons: dict[str, Amount], edited: int) -> str:
    name = "repeats held-out text" if step == HELD_OUT else step
    count, size = (sum(getattr(amount, field) for amount in reasons.values()) for field in ("documents", "bytes"))
    told: list[str] = []
    if count:
        told.append(f"drops {counted(count, 'document')} ({show_bytes(size)}, {share(size / study.whole)})")
    if edited:
        told.append(f"changes {counted(edited, 'document')}")
    would = study.would.get(step)
    if would is not None:
        found = would.rate
        gone = found is not None and found.value > 0
        told.append(f"only measures, and would drop {share(found.value)}" if found and gone else "only measures")
    if not told:
        told.append("drops nothing")
    return f"{name}: {', '.join(told)}"


def _about(rule: Part | None) -> str:
    """Return the first paragraph of what the step says of itself."""
    text = (inspect.getdoc(type(rule)) or "" if rule is not None else "").partition("\n\n")[0]
    return " ".join(text.replace("``", "").replace("`", "").split())


def _changed(rule: Part | None) -> tuple[tuple[str, Cell], ...]:
    """Return the settings of a step that are not its defaults."""
    fields = type(rule).model_fields if rule is not None else {}
    found: list[tuple[str, Cell]] = []
    for name, field in fields.items():
        value = getattr(rule, name)
        if name != "kind" and value != field.get_default(call_default_factory=True):
            found.append((name.replace("_", " "), Cell(setting(_shown(value)))))
    return tuple(found)


def _shown(value: Any) -> Any:
    return [str(item) for item in cast("tuple[Any, ...]", value)] if isinstance(value, tuple) else value


def _reasons(study: CorpusStudy, reasons: dict[str, Amount]) -> Table:
    rows = [
        (Cell(reason), amount_cell(amount, study.whole))
        for reason, amount in sorted(reasons.items(), key=lambda item: (-item[1].documents, item[0]))
    ]
    return Table(
        ("Reason", "Dropped"), tuple(rows), frozenset({"Dropped"}), "Bytes as a share of everything that was read."
    )


def _would(would: Would) -> Table:
    rows = [
        (Cell(reason), Cell(fixed(count, 0)), rate_cell(rate(count, would.asked)))
        for reason, count in would.reasons.items()
    ]
    columns = ("Reason", "Would go", "Share")
    return Table(
        columns, tuple(rows), frozenset(columns[1:]),
        f"What the filter says of {fixed(would.asked, 0)} documents that are trained on, if only_annotate were off. Intervals of "
        "95 %.",
    )  # fmt: skip


def _measured(found: list[Spread]) -> Table:
    rows = [
        (
            Cell(spread.column.partition(".")[2].replace("_", " "), spread.meaning),
            Cell("; ".join(f"{'above' if line.side == 'above' else 'below'} {brief(line.at)}" for line in spread.lines) or "–"),
            _quantiles(spread.kept_quantiles), _quantiles(spread.dropped_quantiles),
        )
        for spread in found
    ]  # fmt: skip
    columns = ("Measured", "Drops", "Trained on", "Dropped here")
    return Table(
        columns,
        tuple(rows),
        frozenset(columns[1:]),
        "Median, and below it the values that 5 % and 95 % of the documents stay below.",
    )


def _quantiles(values: tuple[float, ...]) -> Cell:
    if not values:
        return Cell("–", tone="quiet")
    return Cell(brief(values[1]), f"{brief(values[0])} to {brief(values[2])}")


def _looks(looks: Looks) -> list[Piece]:
    pairs = [sample for sample in looks.dropped if sample.twin_text]
    others = [sample for sample in looks.dropped if not sample.twin_text]
    found: list[Piece] = []
    gone = "Would go" if looks.dropped and looks.dropped[0].fate == "train" else "Dropped"
    if pairs:
        rows = tuple((card(sample), card(sample, twin=True)) for sample in pairs)
        found.append(
            Fold(
                f"Look at {counted(len(rows), 'document')} and what stays in their place",
                (Cards(("Dropped", "Stays"), rows),),
            )
        )
    if others:
        rows = tuple(
            (_card(dropped), _card(kept)) for dropped, kept in zip_longest(others, looks.kept[: max(len(others), 1)])
        )
        headings = (gone, "Trained on" if looks.kept else "")
        would = "would go" if gone == "Would go" else "were dropped"
        found.append(
            Fold(
                f"Look at {len(others)} that {would}, beside {len(looks.kept)} kept",
                (Cards(headings, rows),),
            )
        )
    return found


def _card(sample: Any) -> Card | None:
    return None if sample is None else card(sample)
