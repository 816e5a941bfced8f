"""The findings on shards of the held-out text: whether a verdict hangs on which text was held out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from pilotlight.pilot.analyse import Analysis, observations
from pilotlight.pilot.pilot import Pilot
from pilotlight.randomness import seed_for
from pilotlight.record.results import BASELINE, Results
from pilotlight.record.run import SCORES, Run, Score
from pilotlight.stats.comparison import compare
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.shards import LEAST, over_shards

SHARDS = 10
"""Into which the held-out text is divided, whole documents each; fewer where it has few documents."""


def _bits_per_byte(scores: Sequence[Score]) -> float:
    return math.fsum(one.nats for one in scores) / math.log(2) / sum(one.bytes for one in scores)


def _per_token(scores: Sequence[Score]) -> float:
    return math.fsum(one.nats for one in scores) / max(1, sum(one.tokens for one in scores))


MEASURES: Mapping[str, Callable[[Sequence[Score]], float]] = {
    "bits_per_byte": _bits_per_byte, "nats_per_token": _per_token, "masked_nats_per_token": _per_token,
    "perplexity": lambda scores: math.exp(min(700.0, _per_token(scores))),
}  # fmt: skip
"""Metrics of held-out text, from the scores of its documents. Those of a task have items, not documents."""


def divided(documents: Sequence[tuple[str, int]], count: int = SHARDS) -> list[list[int]]:
    """Return the places of documents (name, bytes) in each shard: drawn by name, of about the same size, none empty."""
    order = sorted(
        (place for place, (_, size) in enumerate(documents) if size > 0),
        key=lambda place: (seed_for(0, "shard", documents[place][0]), documents[place]),
    )
    whole, before = max(1, sum(size for _, size in documents)), 0
    shards: list[list[int]] = [[] for _ in range(count)]
    for place in order:
        size = documents[place][1]
        shards[min(count - 1, int((before + size / 2) * count / whole))].append(place)
        before += size
    return [shard for shard in shards if shard]


def by_shard(pilot: Pilot, out: Path, results: Results) -> dict[str, tuple[float, ...]]:
    """Return the goal's metric of every finished run on each shard of the held-out text, by the name of the run.

    Nothing where the metric is that of a task, where the text has too few documents, or where not every run was scored on
    the same ones.

    Raises:
        RecordError: the scores of a run are damaged.
    """
    measure = MEASURES.get(pilot.goal.metric)
    if measure is None or pilot.goal.is_of_task:
        return {}
    found: dict[str, tuple[float, ...]] = {}
    documents: list[tuple[str, int]] = []
    shards: list[list[int]] = []
    for row in results.finished():
        folder = out / "runs" / row.name
        if not (folder / SCORES).is_file():
            return {}
        scores = Run.open(folder).scores()
        if not found:
            documents = [(one.item, one.bytes) for one in scores]
            shards = divided(documents)
        if len(shards) < LEAST or [(one.item, one.bytes) for one in scores] != documents:
            return {}
        found[row.name] = tuple(measure([scores[place] for place in shard]) for shard in shards)
    return found if all(value > 0.0 for values in found.values() for value in values) else {}


def over_text(pilot: Pilot, results: Results, analysis: Analysis, values: Mapping[str, tuple[float, ...]]) -> Analysis:
    """Return the analysis with, for every finding, its effect on each shard; ``values`` are those of ``by_shard``."""
    if not values or not analysis.findings:
        return analysis
    arms = {BASELINE, *(finding.variant for finding in analysis.findings)}
    rows = [row for row in results.finished() if row.variant in arms]
    shards: list[dict[str, Mapping[str, Estimate]]] = []
    for place in range(len(next(iter(values.values())))):
        told = [row.model_copy(update={"metrics": {pilot.goal.metric: values[row.name][place]}}) for row in rows]
        compared = compare(observations(told, pilot), BASELINE, pilot.rule).comparisons
        shards.append({item.variant: item.by_scale for item in compared})
    findings = tuple(
        finding.model_copy(update={"held_out": over_shards(
            finding.comparison, [shard[finding.variant][finding.comparison.scale] for shard in shards]
        )})
        for finding in analysis.findings
    )  # fmt: skip
    return replace(analysis, findings=findings)
