"""From the rows of a search to its winner, its risks, and what to recommend."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, final

from pilotlight.errors import EvidenceError
from pilotlight.manifest import versions
from pilotlight.pilot.pilot import Pilot, Scale
from pilotlight.pilot.proposals import importances
from pilotlight.pilot.search_settings import Search
from pilotlight.pilot.space import Dimension, Point, Told
from pilotlight.record.results import BASELINE, Row
from pilotlight.record.search import Confirmation, FieldView, Finalist, Level, SearchResult, SearchTrial
from pilotlight.spec import canonical, plain
from pilotlight.stats.comparison import Observation, compare
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.metric import metric
from pilotlight.stats.response import Response, Tried, respond
from pilotlight.stats.shrink import Shrunk, shrink
from pilotlight.units import show_share

STRETCHES = 4  # of a range, in which its trials are told


def losses(rows: Sequence[Row], name: str) -> dict[tuple[str, int], float]:
    """Return the metric of finished trials by variant and seed, negative where more is better.

    What a trial had on its way when it was given up is no result.
    """
    sign = 1.0 if metric(name).better == "lower" else -1.0
    return {(row.variant, row.seed): sign * row.metrics[name] for row in rows
            if row.status == "finished" and name in row.metrics}  # fmt: skip


def finalists(asked: Mapping[str, Point], rows: Sequence[Row], name: str, top: int) -> list[str]:
    """Return the best ``top`` points by their trial on seed 0, best first, and the plan as it is.

    Raises:
        EvidenceError: the plan as it is gave no result, so there is nothing to be better than.
    """
    found = losses(rows, name)
    ended = sorted((found[point, 0], point) for point in asked if point != BASELINE and (point, 0) in found)
    if (BASELINE, 0) not in found:
        error = next((row.error for row in rows if row.variant == BASELINE), "")
        raise EvidenceError(f"the plan as it is could not be trained, so nothing can be compared with it: {error}")
    return [*(point for _, point in ended[:top]), BASELINE]


@final
@dataclass(frozen=True)
class Found:
    """What a search trained."""

    asked: Mapping[str, Point]
    finals: Mapping[str, Point]
    rows: Sequence[Row]
    probes: Mapping[str, Point] = field(default_factory=dict[str, Point])
    last: Mapping[str, Point] = field(default_factory=dict[str, Point])
    left_out: int = 0

    def values(self, name: str, pilot: Pilot, *, fresh: bool = False) -> dict[int, float]:
        """Return the metric of a point by seed: of its finals, or of the fresh seeds."""
        wanted = "confirmation" if fresh else "main"
        return {
            row.seed: row.metrics[pilot.goal.metric] for row in self.rows
            if row.variant == name and row.round == wanted and row.status == "finished"
        }  # fmt: skip

    def shrunk(self, pilot: Pilot) -> Shrunk:
        """Return the finalists, shrunk; those of which a training failed do not take part."""
        runs = {name: self.values(name, pilot) for name in self.finals}
        most = max(len(values) for values in runs.values())
        whole = {name: values for name, values in runs.items() if len(values) == most}
        measured = metric(pilot.goal.metric)
        return shrink(whole, anchors=[BASELINE], better=measured.better, level=pilot.rule.level, unit=measured.unit)

    def risks(self, pilot: Pilot, settings: Search) -> dict[str, Response]:
        """Return what missing the winner's value of each shaded field costs; nothing of a field with too few results."""
        winner = self.shrunk(pilot).winner
        found: dict[str, Response] = {}
        for path in settings.shaded:
            others = {name: point for name, point in self.probes.items() if point[path] != self.asked[winner][path]}
            tried = [
                Tried(float(point[path]), row.seed, row.metrics.get(pilot.goal.metric) if row.status == "finished" else None)
                for name, point in [(winner, self.asked[winner]), *others.items()]
                for row in self.rows if row.variant == name and row.round == "main" and row.status != "killed"
            ]  # fmt: skip
            try:
                found[path] = respond(tried, better=metric(pilot.goal.metric).better, level=pilot.rule.level)
            except EvidenceError:
                continue  # trainings beside the winner's value failed: there is no valley, and the value stays
        return found


def safe_side(one: Dimension, own: float, response: Response) -> tuple[float | int, str]:
    """Return the value of a shaded field to take, and what the range had to do with it, in words; nothing where it had not.

    ``own`` is the winner's value. If the range holds it, the safe value stays in the range too. The plan's own value may lie
    outside of it, and win: then the range is no bound, for all that is known of the valley was trained around that value.
    """
    free, held = one.unbound(response.recommended), one.rounded(response.recommended)
    searched = f"the range that was searched ({one.low:g} to {one.high:g})"
    if not one.holds(own):
        return free, (
            f"{one.path}: the plan's own value {own:g} won and lies outside of {searched}, so the safe value {free:g} was not "
            "held to it; search a wider range"
        )
    if math.isclose(free, held, rel_tol=1e-3):  # or it was only rounded
        return held, ""
    return held, (
        f"{one.path}: {free:g} has the least expected regret and lies outside of {searched}; {held:g} was taken; search a wider "
        "range"
    )


def conclude(pilot: Pilot, rung: Scale, fields: Sequence[Dimension], found: Found) -> SearchResult:
    """Return the result of a search that is finished."""
    settings, name = pilot.search, pilot.goal.metric
    assert settings is not None
    shrunk = found.shrunk(pilot)
    risks = found.risks(pilot, settings)
    confirmations = _confirmations(pilot, rung, found)
    recommended, because = _recommended(pilot, shrunk, confirmations)
    own = found.asked[shrunk.winner]
    sides = [safe_side(one, own[one.path], risks[one.path])[1] for one in fields if one.path in risks]
    order = sorted(shrunk.arms, key=lambda arm: (shrunk.arms[arm].value, arm), reverse=metric(name).better == "higher")
    return SearchResult(
        question=pilot.question, criteria=pilot.criteria, metric=name, unit=metric(name).unit, better=metric(name).better,
        scale=rung.name, sampler=plain(settings.sampler), trials=_trials(found, name), left_out=found.left_out,
        fields=_fields(fields, found, name),
        finalists=tuple(
            Finalist(
                name=arm, set=dict(found.asked[arm]), shrunk=shrunk.arms[arm],
                values={str(seed): value for seed, value in sorted(found.values(arm, pilot).items())},
            )
            for arm in order
        ),
        winner=shrunk.winner, regret=shrunk.regret, risks=risks, confirmations=confirmations, recommended=recommended,
        because=because, cautions=(*_cautions(found, rung, risks), *filter(None, sides)),
        versions=versions("torch", "numpy", "scipy", "optuna"),
    )  # fmt: skip


def _trials(found: Found, name: str) -> tuple[SearchTrial, ...]:
    rows = {row.variant: row for row in found.rows if row.seed == 0 and row.round == "main"}
    return tuple(
        SearchTrial(number=number, name=point, set=dict(values), status=rows[point].status,
                    value=rows[point].metrics.get(name), reason=rows[point].error)
        for number, (point, values) in enumerate(found.asked.items())
    )  # fmt: skip


def _fields(fields: Sequence[Dimension], found: Found, name: str) -> tuple[FieldView, ...]:
    ended = losses(found.rows, name)
    told = [Told(number, point, ended.get((key, 0))) for number, (key, point) in enumerate(found.asked.items())]
    shares = importances(fields, told)
    sign = 1.0 if metric(name).better == "lower" else -1.0
    views: list[FieldView] = []
    for one in fields:
        groups: dict[str, list[float | None]] = {}
        for point in sorted(told, key=lambda item: _place(one, item.point[one.path])):
            groups.setdefault(_stretch(one, point.point[one.path]), []).append(point.loss)
        levels = [_level(group, values, sign) for group, values in groups.items()]
        views.append(FieldView(path=one.path, importance=shares.get(one.path), levels=tuple(levels)))
    return tuple(views)


def _level(name: str, values: Sequence[float | None], sign: float) -> Level:
    known = [value for value in values if value is not None]
    return Level(name=name, trials=len(values), best=sign * min(known) if known else None,
                 median=sign * median(known) if known else None)  # fmt: skip


def _place(one: Dimension, value: Any) -> float:
    if one.kind == "choice":
        names = [canonical(choice) for choice in one.choices]
        return float(names.index(canonical(value))) if canonical(value) in names else -1.0
    return float(value)


def _stretch(one: Dimension, value: Any) -> str:
    """Return the choice, or the stretch of the range that a value lies in, in words."""
    if one.kind == "choice":
        return value if isinstance(value, str) else canonical(value)
    if not one.holds(value):
        return f"{value:g} (outside of the range)"
    shares = [step / STRETCHES for step in range(STRETCHES + 1)]
    edges = [one.low * (one.high / one.low) ** share if one.log else one.low + (one.high - one.low) * share
             for share in shares]  # fmt: skip
    place = next((step for step in range(1, STRETCHES) if value <= edges[step]), STRETCHES)
    return f"{edges[place - 1]:.3g} to {edges[place]:.3g}"


def _confirmations(pilot: Pilot, rung: Scale, found: Found) -> tuple[Confirmation, ...]:
    """Return the arms of the fresh seeds against the plan as it is; the noise is also that of the finals."""
    arms = [name for name in found.last if name != BASELINE]
    observed: list[Observation] = []
    for scale, size, fresh, names in (("finals", 1.0, False, found.finals), ("fresh", 2.0, True, found.last)):
        for name in sorted(names):
            values = found.values(name, pilot, fresh=fresh)
            values.pop(0, None)  # the seed that chose the finalists: its results are better than they are
            observed += [Observation(variant=name, scale=scale, size=size, seed=seed, value=value)
                         for seed, value in sorted(values.items())]  # fmt: skip
    base = sum(one.variant == BASELINE and one.scale == "fresh" for one in observed)
    if not base or not any(one.variant in arms and one.scale == "fresh" for one in observed):
        return ()
    effects = {item.variant: item.by_scale for item in compare(observed, BASELINE, pilot.rule).comparisons}
    return tuple(
        Confirmation(
            name=name, set=dict(found.last[name]), effect=effects[name]["fresh"],
            values={str(seed): value for seed, value in sorted(found.values(name, pilot, fresh=True).items())},
        )
        for name in arms if "fresh" in effects.get(name, {})
    )  # fmt: skip


def _gain(effect: Estimate, better: str) -> tuple[float, float]:
    """Return how much better than the plan as it is, at the value and at the worse end of the interval."""
    return (-effect.value, -effect.high) if better == "lower" else (effect.value, effect.low)


def _recommended(
    pilot: Pilot, shrunk: Shrunk, confirmations: Sequence[Confirmation]
) -> tuple[dict[str, Any], str]:  # fmt: skip
    """Return what to set and why. The safe side is taken unless it costs half of what matters on the fresh seeds."""
    better, worth = metric(pilot.goal.metric).better, pilot.rule.worth
    gains = {item.name: _gain(item.effect, better) for item in confirmations}
    if not gains and shrunk.winner != BASELINE:
        return {}, (
            "The trainings on fresh seeds gave no result, so nothing is recommended; look at their errors in the ledger, and run "
            "the search again."
        )
    if not gains:
        return {}, "The plan as it is was not beaten by any trial, so there was nothing to confirm."
    safe = next((item for item in confirmations if item.name not in shrunk.arms), None)
    raw = next((item for item in confirmations if item.name in shrunk.arms), None)
    chosen = safe or raw
    assert chosen is not None
    if safe is not None and raw is not None and gains[raw.name][0] - gains[safe.name][0] > worth / 2:
        chosen = raw
    value, least = gains[chosen.name]
    shown = f"{100 * chosen.effect.value:+.2f} % [{100 * chosen.effect.low:+.2f}, {100 * chosen.effect.high:+.2f}]"
    where = f"{chosen.name} changes {pilot.goal.metric} by {shown} on {len(chosen.values)} fresh seeds"
    if least <= 0:
        return {}, f"{where}: not surely better than the plan as it is, so nothing is recommended."
    if value < worth / 2:
        return (
            {},
            f"{where}: better, but by less than half of what matters ({show_share(worth)}), so nothing is recommended.",
        )
    side = "" if chosen is raw else f"; it is the winner {shrunk.winner} on the safe side"
    return chosen.set, f"{where}{side}."


def _cautions(found: Found, rung: Scale, risks: Mapping[str, Response]) -> tuple[str, ...]:
    cautions = [
        f"found at {rung.name}; that it holds at the full run is for a pilot with the winner as a variant to show",
        "importances are those within the ranges that were searched, from one seed each; they are no effects",
        "the regret is that among the finalists: of points that were not tried nothing is known",
    ]
    cut = [row for row in found.rows if row.status == "pruned"]
    if cut:
        saved = sum(1 - row.course[-1][0] for row in cut if row.course) / len(found.asked)
        cautions.append(
            f"{len(cut)} of {len(found.asked)} trials were given up on their way, which saved {show_share(saved, 0)} of the "
            "steps of all of these; one of them may have ended better than all that finished"
        )
    lost = sum(row.status in ("failed", "killed") for row in found.rows)
    if lost:
        cautions.append(f"{lost} trainings failed; the search counted them as worse than the worst")
    cautions += [f"{path}: {caution}" for path, response in risks.items() for caution in response.cautions]
    return tuple(cautions)
