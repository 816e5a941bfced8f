"""Text that is like other text: how like, between which sources, in how large groups, and what might have been missed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, final

from pilotlight.corpus.summaries.alike import clusters, comparing_steps, pairs, similarities
from pilotlight.corpus.summary import HELD_OUT
from pilotlight.report.block import Block, Cell, Piece, Plot, Table
from pilotlight.report.chart import Axis, Chart, Rule, Series
from pilotlight.report.corpus_section import CorpusSection
from pilotlight.report.corpus_study import CorpusStudy
from pilotlight.report.corpus_wording import GONE, KEPT, even, share, steps_of
from pilotlight.report.section import Slot
from pilotlight.report.text import fixed
from pilotlight.report.wording import counted, listed
from pilotlight.units import show_bytes

_BINS = 20
_MOST_ROWS = 15


@final
class Duplicates(CorpusSection):
    """Every document that went for another, by similarity, source and group."""

    slot: ClassVar[Slot] = Slot.EVIDENCE
    order: ClassVar[int] = 40
    title: ClassVar[str] = "Duplicates"

    def write(self, study: CorpusStudy) -> Block | None:
        """Return charts of similarity and tables of pairs and groups, or None where nothing went for another."""
        steps = [step for step in comparing_steps(study.summary) if step != HELD_OUT]
        if not steps:
            return None
        plots = [plot for step in steps if (plot := _similarity(study, step)) is not None]
        plots += [_curve(step, told) for step, told in _curves(study)]
        found: list[Piece] = [even(plots)] if plots else []
        found.append(_pairs(study))
        large = _clusters(study)
        if large is not None:
            found.append(large)
        return Block(_lead(study, steps), tuple(found))


def _lead(study: CorpusStudy, steps: list[str]) -> str:
    told: list[str] = []
    for step in steps:
        reasons = study.summary.facts.dropped.get(step, {})
        count, size = sum(item.documents for item in reasons.values()), sum(item.bytes for item in reasons.values())
        told.append(f"{step} {counted(count, 'document')} ({show_bytes(size)}, {share(size / study.whole)})")
    return (
        f"Dropped because a document that stays is like them: {listed(told)}. Each names the one that stays: see the samples "
        "of the step."
    )


def _similarity(study: CorpusStudy, step: str) -> Plot | None:
    counts = similarities(study.summary, step, _BINS)
    if sum(counts) == counts[-1]:  # all are the same text
        return None
    first = next(place for place, count in enumerate(counts) if count)
    edges = [place / _BINS for place in range(first, _BINS + 1)]
    x, y = steps_of(edges, [float(count) for count in counts[first:]])
    least = getattr(study.summary.steps.get(step), "similarity", None)
    rules = (Rule("x", float(least), f"asked for: {least:g}"),) if isinstance(least, float) else ()
    series = (
        Series("documents", x, y, (0.0,) * len(x), y, style="band", color=GONE),
        Series("documents", x, y, style="line", color=GONE),
    )
    return Plot(Chart(
        f"similarity-{step}", f"{step}: how like what stays", "Documents that went, by their similarity to the one that stays.",
        Axis("similarity"), Axis("documents"), series, rules=rules, height=300, legend=False,
    ))  # fmt: skip


def _curves(study: CorpusStudy) -> list[tuple[str, Mapping[str, Any]]]:
    return [(step, told) for step, told in study.summary.facts.steps.items() if told.get("curve")]


def _curve(step: str, told: Mapping[str, Any]) -> Plot:
    points = sorted((float(at), float(chance)) for at, chance in told["curve"].items())
    series = Series(
        "chance", tuple(at for at, _ in points), tuple(chance for _, chance in points), style="line", color=KEPT
    )
    return Plot(Chart(
        f"curve-{step}", f"{step}: what is compared at all",
        f"Chance that two texts are compared, by their similarity ({told.get('bands')} bands of {told.get('rows')} hashes); "
        "what is compared is verified exactly.",
        Axis("similarity"), Axis("chance to be compared", percent=True), (series,), height=300, legend=False,
    ))  # fmt: skip


def _pairs(study: CorpusStudy) -> Table:
    rows = [
        (
            Cell(pair.source), Cell(pair.stays_in, f"{fixed(pair.same_file, 0)} in the same file" if pair.same_file else ""),
            Cell(pair.step), Cell(fixed(pair.documents, 0), show_bytes(pair.bytes)),
        )
        for pair in pairs(study.summary)[:_MOST_ROWS] if pair.step != HELD_OUT
    ]  # fmt: skip
    return Table(
        ("From source", "Stays in", "Step", "Dropped"),
        tuple(rows),
        frozenset({"Dropped"}),
        "Where duplicates and what stays in their place come from; the largest first.",
    )


def _clusters(study: CorpusStudy) -> Table | None:
    found = [cluster for cluster in clusters(study.summary) if cluster.step != HELD_OUT]
    if not found:
        return None
    rows = [
        (
            Cell(cluster.twin[:12], f"{cluster.source}: {cluster.origin}", code=True), Cell(cluster.step),
            Cell(fixed(cluster.documents, 0), show_bytes(cluster.bytes)),
            Cell(f"{cluster.least:.3f}" if cluster.least else "–"),
        )
        for cluster in found
    ]  # fmt: skip
    return Table(
        ("What stays", "Step", "Dropped for it", "Least similar"), tuple(rows), frozenset({"Dropped for it", "Least similar"}),
        "The largest groups. A large group of texts that differ is a frame (a form, a menu): read it before you trust it.",
    )  # fmt: skip
