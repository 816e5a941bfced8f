"""Finished trials to findings: every variant compared with the baseline, winners confirmed on fresh seeds."""

from __future__ import annotations

from dataclasses import dataclass

from pilotlight.pilot.pilot import Pilot
from pilotlight.record.decision import Finding
from pilotlight.record.results import BASELINE, Results, Row
from pilotlight.spec import diff
from pilotlight.stats.comparison import Comparison, Comparisons, Observation, compare, noise_floor
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.metric import metric
from pilotlight.stats.noise import NoiseFloor
from pilotlight.stats.verdict import Judgement, Verdict, judge
from pilotlight.units import show_share


@dataclass(frozen=True)
class Analysis:
    """What the comparisons say: None where there is nothing to compare, or no cell was trained twice."""

    comparisons: Comparisons | None
    findings: tuple[Finding, ...]
    noise: NoiseFloor | None
    """Run-to-run spread; of the baseline alone where nothing was compared."""


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


def _above_zero(rows: list[Row], pilot: Pilot) -> list[Row]:
    """Return the rows whose variant and baseline are above 0 at their rung: effects are shares, and of nothing there is none."""
    without = {(row.variant, row.scale) for row in rows if row.metrics[pilot.goal.metric] <= 0}
    return [row for row in rows if not without & {(row.variant, row.scale), (BASELINE, row.scale)}]


def zeros(results: Results, pilot: Pilot) -> dict[str, list[Row]]:
    """Return by variant, the baseline among them, the finished rows that are not above 0, which are in no comparison."""
    found: dict[str, list[Row]] = {}
    for row in results.finished():
        if row.metrics[pilot.goal.metric] <= 0:
            found.setdefault(row.variant, []).append(row)
    return found


def _cells(rows: list[Row]) -> dict[tuple[str, str], int]:
    """Return how many runs there are of each variant at each rung, A/A repeats not counted."""
    cells: dict[tuple[str, str], int] = {}
    for row in (row for row in rows if not row.repeat):
        cells[row.variant, row.scale] = cells.get((row.variant, row.scale), 0) + 1
    return cells


def _noise(results: Results, pilot: Pilot) -> NoiseFloor | None:
    """Return the run-to-run spread of the baseline alone, or None where no rung has two seeds of it."""
    rows = _above_zero(list(results.ladder()), pilot)
    if max(_cells(rows).values(), default=0) < 2:
        return None
    return noise_floor(observations(rows, pilot), BASELINE, pilot.rule.level)


def _compare(rows: list[Row], pilot: Pilot) -> Comparisons | None:
    """Return the comparison of ``rows``, or None where no arm has a second seed or no variant meets the baseline.

    Any other refusal (the same run twice, a seed without effect) is a fault and reaches the user.
    """
    rows = _above_zero(rows, pilot)
    cells = _cells(rows)
    met = {variant for variant, scale in cells if variant != BASELINE and (BASELINE, scale) in cells}
    if not met or max(cells.values(), default=0) < 2:
        return None
    return compare(observations([row for row in rows if row.variant in (BASELINE, *met)], pilot), BASELINE, pilot.rule)


def winners(results: Results, pilot: Pilot) -> list[str]:
    """Return the variants that the main trials alone would adopt, in order of name; none of which a trial failed or scored 0."""
    rows = [row for row in results.finished() if row.round == "main"]
    found = _compare(rows, pilot)
    if found is None:
        return []
    better = metric(pilot.goal.metric).better
    failed = {row.variant for row in results.rows if row.status == "failed" and row.round == "main"}
    failed |= {row.variant for row in rows if row.metrics[pilot.goal.metric] <= 0}
    return sorted(
        item.variant for item in found.comparisons
        if item.variant not in failed and judge(item, pilot.rule, better).verdict is Verdict.ADOPT
    )  # fmt: skip


def top_rung(results: Results, pilot: Pilot) -> str | None:
    """Return the largest rung at which the baseline and a variant were both trained at least twice, or None."""
    counts: dict[tuple[str, str], int] = {}
    for row in _above_zero([row for row in results.finished() if row.round == "main"], pilot):
        if not row.repeat:
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


def _unconfirmed(results: Results, pilot: Pilot, variant: str) -> tuple[str, str]:
    """Return why ``variant`` has no confirmation, and what to do about it."""
    arms = (BASELINE, variant)
    lost = [row for row in results.lost() if row.round == "confirmation" and row.variant in arms]
    if lost:
        return (
            f"no confirmation run of it finished: {lost[0].name} {lost[0].status} ({lost[0].error})",
            "look at the error in that run's folder, mend it, and run the pilot in a new --out.",
        )
    nothing = zeros(results, pilot)
    empty = [row for name in arms for row in nothing.get(name, []) if row.round == "confirmation"]
    if empty:
        return (
            f"no confirmation run of it says anything: {empty[0].name} has no {pilot.goal.metric} above 0",
            "find out why that run scored nothing, and run the pilot in a new --out.",
        )
    if variant not in winners(results, pilot):
        return (
            "no confirmation run of it finished: it did not win on the main trials alone, so none was planned",
            "train more seeds of it: with those that there are it wins only just.",
        )
    return (
        "no confirmation run of it finished: the budget left nothing for one",
        "raise the budget, so that the winner can be trained again on seeds that did not choose it.",
    )


def _percent(value: float) -> str:
    return f"{100 * value:+.2f} %"


def _again(fresh: Estimate) -> str:
    """Return what the fresh seeds alone found, in words."""
    seeds = f"{fresh.n} fresh seed{'s' if fresh.n > 1 else ''}"
    return f"on {seeds} alone it is {_percent(fresh.value)} [{_percent(fresh.low)}, {_percent(fresh.high)}]"


def _confirmed(judgement: Judgement, fresh: Estimate, pilot: Pilot) -> Judgement:
    """Return the verdict after confirmation: an adopted variant has to win again on seeds that did not choose it.

    Winning again asks for half the worth: two fresh seeds cannot show more, and a mere sign is a coin's toss.
    """
    half = pilot.rule.worth / 2
    pooled = "The effect contains the seeds that selected it"
    gain = -fresh.value if metric(pilot.goal.metric).better == "lower" else fresh.value
    if gain < half:
        return judgement.model_copy(update={
            "verdict": Verdict.UNDECIDED,
            "because": f"{judgement.because} {pooled}; {_again(fresh)}: no gain of {show_share(half)}, half of what "
                       "matters, so it did not win again.",
            "next": "train more seeds before believing either result.",
        })  # fmt: skip
    return judgement.model_copy(update={
        "because": f"{judgement.because} {pooled}; {_again(fresh)}: it won again.",
        "next": "Watch it in the full run: what is best of several looks better than it is.",
    })  # fmt: skip


def _judged(item: Comparison, fresh: Estimate | None, results: Results, pilot: Pilot) -> Judgement:
    """Return the verdict on one variant: what the finished trials say, and whether they are all there is to say."""
    judgement = judge(item, pilot.rule, metric(pilot.goal.metric).better)
    if judgement.verdict not in (Verdict.ADOPT, Verdict.EQUIVALENT):
        return judgement
    rows = [row for row in results.rows if row.variant == item.variant]
    failed = [row for row in rows if row.status == "failed"]
    if failed:
        return judgement.model_copy(update={
            "verdict": Verdict.UNDECIDED,
            "because": f"{judgement.because} But {len(failed)} of its {len(rows)} trials failed, and the effect is that "
                       f"of the survivors; the first is {failed[0].name}: {failed[0].error}",
            "next": "find out why it fails before it goes into a run that is dear: look at the error in the run's folder, "
                    "and try it again in a new --out.",
        })  # fmt: skip
    nothing = zeros(results, pilot).get(item.variant)
    if nothing:
        name = pilot.goal.metric
        return judgement.model_copy(update={
            "verdict": Verdict.UNDECIDED,
            "because": f"{judgement.because} But {len(nothing)} of its {len(rows)} trials have no {name} above 0, the first "
                       f"{nothing[0].name}: the effect is that at the other rungs.",
            "next": f"find out why its {name} is 0 there before it goes into a run that is dear.",
        })  # fmt: skip
    if judgement.verdict is Verdict.EQUIVALENT or not pilot.confirm:
        return judgement
    if fresh is None:
        because, way_out = _unconfirmed(results, pilot, item.variant)
        return judgement.model_copy(update={
            "verdict": Verdict.UNDECIDED, "because": f"{judgement.because} But {because}.", "next": way_out,
        })  # fmt: skip
    return _confirmed(judgement, fresh, pilot)


def analyse(results: Results, pilot: Pilot) -> Analysis:
    """Return every comparison and finding of the pilot; confirmation runs count as further seeds of their rung."""
    found = _compare(list(results.finished()), pilot)
    if found is None:
        return Analysis(None, (), _noise(results, pilot))
    findings: list[Finding] = []
    for item in found.comparisons:
        fresh = _fresh(results, pilot, item.variant)
        judgement = _judged(item, fresh, results, pilot)
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
    findings.sort(key=lambda finding: list(pilot.variants).index(finding.variant))
    return Analysis(found, tuple(findings), found.noise)
