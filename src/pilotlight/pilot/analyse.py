"""Finished trials to findings: every variant compared with the baseline, winners confirmed on fresh seeds."""

from __future__ import annotations

from dataclasses import dataclass

from pilotlight.pilot.pilot import Pilot
from pilotlight.record.decision import Finding
from pilotlight.record.results import BASELINE, Results, Row
from pilotlight.spec import diff
from pilotlight.stats.comparison import Comparisons, Observation, compare
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.metric import metric
from pilotlight.stats.verdict import Judgement, Verdict, judge


@dataclass(frozen=True)
class Analysis:
    """What the comparisons say: None where no cell was trained twice."""

    comparisons: Comparisons | None
    findings: tuple[Finding, ...]


def observations(rows: list[Row], pilot: Pilot) -> list[Observation]:
    """Return the measured value of the goal's metric of every row, as the comparison wants it."""
    return [
        Observation(
            variant=row.variant,
            scale=row.scale,
            size=pilot.scale(row.scale).parameters * pilot.scale(row.scale).tokens,
            seed=row.seed,
            value=row.metrics[pilot.goal.metric],
            repeat=row.repeat,
        )
        for row in rows
    ]


def _compare(rows: list[Row], pilot: Pilot) -> Comparisons | None:
    """Return the comparison of ``rows``, or None where no arm has a second seed or no variant meets the baseline.

    Any other refusal (the same run twice, a seed without effect) is a fault and reaches the user.
    """
    cells: dict[tuple[str, str], int] = {}
    for row in (row for row in rows if not row.repeat):
        cells[row.variant, row.scale] = cells.get((row.variant, row.scale), 0) + 1
    met = {variant for variant, scale in cells if variant != BASELINE and (BASELINE, scale) in cells}
    if not met or max(cells.values(), default=0) < 2:
        return None
    return compare(observations([row for row in rows if row.variant in (BASELINE, *met)], pilot), BASELINE, pilot.rule)


def winners(results: Results, pilot: Pilot) -> list[str]:
    """Return the variants that the main trials alone would adopt, in order of name."""
    rows = [row for row in results.finished() if row.round == "main"]
    found = _compare(rows, pilot)
    if found is None:
        return []
    better = metric(pilot.goal.metric).better
    return sorted(
        item.variant for item in found.comparisons if judge(item, pilot.rule, better).verdict is Verdict.ADOPT
    )


def top_rung(results: Results, pilot: Pilot) -> str | None:
    """Return the largest rung at which the baseline and a variant were both trained at least twice, or None."""
    counts: dict[tuple[str, str], int] = {}
    for row in results.finished():
        if row.round == "main" and not row.repeat:
            counts[row.variant, row.scale] = counts.get((row.variant, row.scale), 0) + 1
    rungs = sorted(pilot.scales, key=lambda scale: scale.parameters * scale.tokens, reverse=True)
    for least in (2, 1):
        for rung in rungs:
            arms = [name for name in pilot.variants if counts.get((name, rung.name), 0) >= least]
            if arms and counts.get((BASELINE, rung.name), 0) >= least:
                return rung.name
    return None


def _fresh(results: Results, pilot: Pilot, variant: str) -> Estimate | None:
    """Return the effect of ``variant`` on the confirmation seeds alone, or None where they were not run.

    The noise is borrowed from the main runs at other rungs: two fresh seeds alone give an interval without end.
    """
    pair = [row for row in results.finished() if row.variant in (BASELINE, variant)]
    fresh = [row for row in pair if row.round == "confirmation"]
    if {row.variant for row in fresh} != {BASELINE, variant}:
        return None
    scale = fresh[0].scale
    found = _compare([*fresh, *(row for row in pair if row.round == "main" and row.scale != scale)], pilot)
    match = next((item for item in found.comparisons if item.variant == variant), None) if found else None
    return match.by_scale.get(scale) if match else None


def _confirmed(judgement: Judgement, fresh: Estimate | None, pilot: Pilot) -> Judgement:
    """Return the verdict after confirmation: an adopted variant has to win again on seeds that did not choose it."""
    if judgement.verdict is not Verdict.ADOPT or not pilot.confirm:
        return judgement
    if fresh is None:
        return judgement.model_copy(update={
            "verdict": Verdict.UNDECIDED,
            "because": f"{judgement.because} It was not confirmed on fresh seeds: the budget ended first.",
            "next": "raise the budget, so that the winner can be trained again on seeds that did not choose it.",
        })  # fmt: skip
    if fresh.value >= 0:
        return judgement.model_copy(update={
            "verdict": Verdict.UNDECIDED,
            "because": f"it won on the first seeds, but not again on {pilot.confirm} fresh ones "
                       f"({100 * fresh.value:+.2f} %).",
            "next": "train more seeds before believing either result.",
        })  # fmt: skip
    return judgement.model_copy(update={
        "because": f"{judgement.because} On {pilot.confirm} fresh seeds it won again ({100 * fresh.value:+.2f} %).",
    })  # fmt: skip


def analyse(results: Results, pilot: Pilot) -> Analysis:
    """Return every comparison and finding of the pilot; confirmation runs count as further seeds of their rung."""
    found = _compare(list(results.finished()), pilot)
    if found is None:
        return Analysis(None, ())
    better = metric(pilot.goal.metric).better
    findings: list[Finding] = []
    for item in found.comparisons:
        fresh = _fresh(results, pilot, item.variant)
        judgement = _confirmed(judge(item, pilot.rule, better), fresh, pilot)
        findings.append(
            Finding(
                variant=item.variant,
                why=pilot.variants[item.variant].why,
                changes=diff(pilot.setup, pilot.variant(item.variant)),
                verdict=judgement.verdict,
                because=judgement.because,
                next=judgement.next,
                comparison=item,
                confirmation=fresh,
            )
        )
    return Analysis(found, tuple(sorted(findings, key=lambda finding: list(pilot.variants).index(finding.variant))))
