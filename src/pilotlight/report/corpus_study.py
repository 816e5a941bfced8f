"""Everything the page of a corpus shows: the corpus, what was asked of it once, and the corpus it is set beside."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import final

from pilotlight.corpus.corpus import Corpus
from pilotlight.corpus.summaries import samples
from pilotlight.corpus.summaries.amounts import Stage, edited_away, readable, stages
from pilotlight.corpus.summaries.measured import Spread, spreads
from pilotlight.corpus.summaries.samples import Sample
from pilotlight.corpus.summaries.warnings import warnings
from pilotlight.corpus.summaries.would import Would, would_drop
from pilotlight.corpus.summary import Summary

_PER_REASON = 3
_MOST_DROPPED = 9
_AT_LEAST = 6
_KEPT = 3


@final
@dataclass(frozen=True, slots=True)
class Looks:
    """Documents of one step to look at by eye."""

    dropped: tuple[Sample, ...]
    kept: tuple[Sample, ...]


@final
class CorpusStudy:
    """What sections of the page of a corpus are written from."""

    def __init__(self, corpus: Corpus, before: Corpus | None = None) -> None:
        self.summary = Summary(corpus)
        self.before = Summary(before) if before is not None else None

    @classmethod
    def open(cls, folder: Path, before: Path | None = None) -> CorpusStudy:
        """Return the study of the corpus in ``folder``, to be set beside the one in ``before``.

        Raises:
            RecordError: a folder is unfinished or holds no corpus.
        """
        return cls(Corpus.open(folder), None if before is None else Corpus.open(before))

    @cached_property
    def stages(self) -> list[Stage]:
        """What each step took away, in order."""
        return stages(self.summary)

    @cached_property
    def whole(self) -> int:
        """Bytes that were read."""
        return max(1, readable(self.summary).bytes)

    @cached_property
    def edited_away(self) -> int:
        """Bytes by which edits and cuts made the training text smaller."""
        return edited_away(self.summary)

    @cached_property
    def warnings(self) -> list[str]:
        """What should be looked at first."""
        return warnings(self.summary)

    @cached_property
    def spreads(self) -> dict[str, list[Spread]]:
        """By step, how what it measured is spread; edits are left out, as no threshold cuts what they count."""
        return {name: spreads(self.summary, name) for name in self.summary.steps if self.summary.family(name) != "edit"}

    @cached_property
    def would(self) -> dict[str, Would]:
        """By filter that only measures, what it would drop."""
        found = {name: would_drop(self.summary, name, _PER_REASON) for name in self.summary.steps}
        return {name: would for name, would in found.items() if would is not None}

    @cached_property
    def looks(self) -> dict[str, Looks]:
        """By step, documents that it dropped and documents that are trained on; texts are fetched together."""
        chosen: dict[str, tuple[list[Sample], list[Sample]]] = {}
        for step, would in self.would.items():
            few = max(1, _MOST_DROPPED // max(1, len(would.ids)))
            reasons = {id: f"would go: {reason}" for ids in would.ids.values() for id, reason in ids[:few]}
            if reasons:
                kept = samples.choose(self.summary, fate="train", step=step, count=len(reasons) + _KEPT)
                others = [one for one in kept if one.id not in reasons][: len(reasons)]
                chosen[step] = (samples.by_reason(self.summary, step, reasons), others)
        for step, reasons in self.summary.facts.dropped.items():
            dropped = samples.choose(
                self.summary,
                fate="dropped",
                step=step,
                count=max(_PER_REASON, _AT_LEAST // max(1, len(reasons))),
                per_reason=True,
            )
            few = max(1, _MOST_DROPPED // max(1, len(reasons)))
            kinds: dict[str, int] = {}
            some: list[Sample] = []
            for sample in dropped:
                kind = sample.reason.partition(":")[0]
                kinds[kind] = kinds.get(kind, 0) + 1
                if kinds[kind] <= few:
                    some.append(sample)
            wanted = self.summary.family(step) in ("filter", "select")
            kept = self._kept(step, max(_KEPT, len(some))) if wanted else []
            chosen[step] = (some, kept)
        together = [sample for pair in chosen.values() for part in pair for sample in part]
        texts = iter(samples.with_texts(self.summary, together))
        return {
            step: Looks(tuple(next(texts) for _ in dropped), tuple(next(texts) for _ in kept))
            for step, (dropped, kept) in chosen.items()
        }

    def _kept(self, step: str, count: int) -> list[Sample]:
        """Return documents that are trained on: half nearest to the line of the rule that drops most, half by hash."""
        reasons = self.summary.facts.dropped[step]
        lines = [
            (spread.column, line)
            for spread in self.spreads.get(step, ())
            for line in spread.lines
            if line.reason in reasons
        ]
        just: list[Sample] = []
        if lines:
            column, line = max(lines, key=lambda item: (reasons[item[1].reason].documents, item[0]))
            near = samples.choose(self.summary, fate="train", step=step, count=count // 2, near=(column, line.at))
            name = column.partition(".")[2].replace("_", " ")
            just = [replace(one, reason=f"just kept: {name} {float(one.values[column]):.4g}") for one in near]
        known = {one.id for one in just}
        others = samples.choose(self.summary, fate="train", step=step, count=count)
        return [*just, *(one for one in others if one.id not in known)][:count]
