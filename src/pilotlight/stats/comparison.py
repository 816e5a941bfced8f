"""Every variant against the baseline: effect, interval, power, and the noise they stand on."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, final

from pilotlight.errors import EvidenceError
from pilotlight.spec import Record
from pilotlight.stats.arms import Arms, Observation, arrange
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.multiple import benjamini_hochberg, coverage_level
from pilotlight.stats.noise import Noise, NoiseFloor, floor, measure, uneven
from pilotlight.stats.pairing import Pairing
from pilotlight.stats.posterior import Believed, Measured, believed
from pilotlight.stats.power import detectable, power
from pilotlight.stats.rule import Rule
from pilotlight.stats.student import Spread, critical, mean, tail, two_sided

TREND = 0.05
"""p-value from which on an effect counts as changing with size."""
USUAL = 2.0
"""Spread of true effects that is usual, in worths: what a rule calls worth having is of the size of what variants do."""
_ENDLESS = 300.0


class Comparison(Record):
    """One variant against the baseline. Effects are relative: 0.01 is one percent above the baseline."""

    variant: str
    effect: Estimate
    """At the largest scale with two or more runs of both arms, at a level corrected for the number of variants.

    It leaves out zero exactly when ``p_adjusted`` is at most one minus the rule's level.
    """

    by_scale: dict[str, Estimate]
    """At every scale, small to large, each at the rule's level and not corrected."""

    scale: str
    """The scale that ``effect`` speaks of."""

    p_value: float
    p_adjusted: float
    p_equivalent: float
    """Adjusted p-value that the effect lies outside plus or minus ``worth`` (two one-sided tests)."""

    power: float
    """Chance that this comparison, at the level of ``effect``, sees an effect of the size of ``worth``."""

    detectable: float
    """Smallest relative effect that it sees with the rule's power."""

    seeds: int
    """Runs of the smaller arm at ``scale``; pairs where paired."""

    error: float
    """Standard error of the logarithm of the effect."""

    degrees: float
    """Degrees of freedom of that standard error."""

    pairing: Pairing
    trend: float
    """Change of the logarithmic effect per e-fold of size, a straight line over ``by_scale``; 0 at one size."""

    p_trend: float
    """Two-sided p-value that the effect is the same at all sizes, not corrected; 1 at one size."""

    cautions: tuple[str, ...] = ()

    shrunken: Estimate | None = None
    """``effect`` drawn towards none as far as the campaign says that effects like it are chance (``believed``), at the
    rule's level: the best of several is overstated by ``effect``, hardly by this. None in records of older versions."""

    trend_error: float = 0.0
    """Standard error of ``trend``; 0 where there is no trend to speak of."""

    errors: dict[str, float] = {}
    """Standard error of the logarithm of the effect at every scale of ``by_scale``."""

    sizes: dict[str, float] = {}
    """Size of every scale of ``by_scale``, as the observations gave it."""

    @property
    def is_fading(self) -> bool:
        """Whether the effect shrinks with size, beyond chance."""
        return self.p_trend < TREND and self.trend * self.effect.value < 0.0


class Comparisons(Record):
    """All variants against one baseline."""

    baseline: str
    comparisons: tuple[Comparison, ...]
    noise: NoiseFloor
    pairing: Pairing
    """Over all variants and scales; ``used`` is what most comparisons used."""

    runs: int
    """Runs that entered, A/A repeats not counted."""

    cautions: tuple[str, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class _Effect:
    """A logarithmic effect at one scale, with the variance of that mean."""

    value: float
    spread: Spread
    seeds: int
    is_paired: bool

    @property
    def error(self) -> float:
        return math.sqrt(self.spread.variance)

    def estimate(self, level: float, *cautions: str) -> Estimate:
        # Bounded so that an interval without end is still a finite number.
        half = min(_ENDLESS, critical(level, self.spread.degrees) * self.error)
        low, value, high = (math.expm1(self.value + shift) for shift in (-half, 0.0, half))
        method = f"{'paired' if self.is_paired else 'Welch'} t, pooled noise"
        return Estimate(
            value=value, low=low, high=high, level=level, unit="relative", n=self.seeds, method=method,
            cautions=cautions,
        )  # fmt: skip


def compare(observations: Iterable[Observation], baseline: str, rule: Rule) -> Comparisons:
    """Return every variant against the baseline.

    Values are compared by their logarithms, so effects are relative. The noise at a scale is strengthened by the other
    scales and variants; the effect is not: it is the one at the largest replicated scale. Arms that share their seeds
    are compared by the spread of the differences within seeds, whether that helps or hurts: an interval that chose by
    the same few runs would cover too seldom.

    Raises:
        EvidenceError: there is no baseline, no variant, no second seed anywhere, or no scale that two arms share.
    """
    arms = arrange(observations, baseline)
    if not arms.variants:
        raise EvidenceError(f"every run is of the baseline {baseline!r}; there is nothing to compare it with.")
    noise = measure(arms)
    found = {variant: _effects(arms, noise, variant) for variant in arms.variants}
    heads = {variant: _head(effects) for variant, effects in found.items()}
    tops = {variant: found[variant][heads[variant]] for variant in found}
    adjusted = benjamini_hochberg([two_sided(top.value, top.error, top.spread.degrees) for top in tops.values()])
    equivalent = benjamini_hochberg([_outside(top, rule.worth) for top in tops.values()])
    selected = sum(value <= 1.0 - rule.level for value in adjusted)
    shrunken = believed([_measured(top) for top in tops.values()], USUAL * math.log1p(rule.worth), rule.level)
    comparisons: list[Comparison] = []
    for variant, p_adjusted, p_equivalent, drawn in zip(found, adjusted, equivalent, shrunken, strict=True):
        is_selected = p_adjusted <= 1.0 - rule.level
        level = coverage_level(rule.level, selected, len(found), is_selected=is_selected)
        facts = _facts(tops[variant], noise, rule, level) | _along(arms, found[variant], rule.level)
        cautions = _cautions(heads[variant], found[variant], facts["p_trend"])
        comparisons.append(
            Comparison(
                variant=variant,
                effect=tops[variant].estimate(level, *cautions),
                scale=heads[variant],
                p_adjusted=p_adjusted,
                p_equivalent=p_equivalent,
                cautions=cautions,
                shrunken=_shrunken(tops[variant], drawn, len(found), rule.level),
                **facts,
            )
        )
    paired = sum(item.pairing.used == "paired" for item in comparisons)
    return Comparisons(
        baseline=baseline,
        comparisons=tuple(comparisons),
        noise=floor(arms, noise, rule.level),
        pairing=_pairing(noise, is_paired=2 * paired > len(comparisons)),
        runs=sum(len(runs) for cells in arms.logs.values() for runs in cells.values()),
        cautions=tuple(uneven(arms, noise)),
    )


def noise_floor(observations: Iterable[Observation], baseline: str, level: float) -> NoiseFloor:
    """Return the run-to-run noise of ``observations``; the baseline alone, with its A/A repeats, is enough.

    Raises:
        EvidenceError: there is no baseline, no arm has two seeds at one scale, or no two runs differ.
    """
    arms = arrange(observations, baseline)
    return floor(arms, measure(arms), level)


def _facts(top: _Effect, noise: Noise, rule: Rule, level: float) -> dict[str, Any]:
    degrees = top.spread.degrees
    return {
        "p_value": two_sided(top.value, top.error, degrees),
        "power": power(math.log1p(rule.worth), top.error, degrees, level),
        "detectable": math.expm1(min(_ENDLESS, detectable(top.error, degrees, level, rule.power))),
        "seeds": top.seeds,
        "error": top.error,
        "degrees": degrees,
        "pairing": _pairing(noise, is_paired=top.is_paired),
    }


def _along(arms: Arms, effects: dict[str, _Effect], level: float) -> dict[str, Any]:
    trend, error, p_trend = _trend(arms, effects)
    return {
        "by_scale": {scale: _at_scale(effect, level) for scale, effect in effects.items()},
        "errors": {scale: effect.error for scale, effect in effects.items()},
        "sizes": {scale: arms.sizes[scale] for scale in effects},
        "trend": trend,
        "trend_error": error,
        "p_trend": p_trend,
    }


def _pairing(noise: Noise, *, is_paired: bool) -> Pairing:
    return Pairing(correlation=noise.correlation, used="paired" if is_paired else "unpaired", n=noise.pairs)


def _effects(arms: Arms, noise: Noise, variant: str) -> dict[str, _Effect]:
    scales = arms.compared(variant)
    if not scales:
        raise EvidenceError(f"{variant!r} and the baseline never ran at the same scale; train both at one.")
    if _has_spread(noise) and all(_is_paired(arms, variant, scale) for scale in scales):
        return {scale: _paired_effect(arms, noise, variant, scale) for scale in scales}
    return {scale: _unpaired_effect(arms, noise, variant, scale) for scale in scales}


def _has_spread(noise: Noise) -> bool:
    """Return whether any two differences within seeds can be told apart; if not, the arms' own spread has to do."""
    return any(spread.degrees > 0.0 for cells in noise.differences.values() for spread in cells.values())


def _is_paired(arms: Arms, variant: str, scale: str) -> bool:
    """Return whether at least half of the smaller arm's seeds have their partner, so that few runs are left aside."""
    smaller = min(len(arms.runs(variant, scale)), len(arms.runs(arms.baseline, scale)))
    return 2 * len(arms.shared(variant, scale)[0]) >= smaller


def _paired_effect(arms: Arms, noise: Noise, variant: str, scale: str) -> _Effect:
    new, old = arms.shared(variant, scale)
    gap = noise.of_difference(variant, scale)
    return _Effect(mean(new) - mean(old), Spread(gap.variance / len(new), gap.degrees), len(new), is_paired=True)


def _unpaired_effect(arms: Arms, noise: Noise, variant: str, scale: str) -> _Effect:
    new, old = list(arms.runs(variant, scale).values()), list(arms.runs(arms.baseline, scale).values())
    spread = noise.of_means({variant: len(new), arms.baseline: len(old)}, scale)
    # Seeds that push the two arms apart make their difference noisier than independent runs.
    inflated = Spread(spread.variance * (1.0 - min(0.0, noise.correlation)), spread.degrees)
    return _Effect(mean(new) - mean(old), inflated, min(len(new), len(old)), is_paired=False)


def _head(effects: dict[str, _Effect]) -> str:
    replicated = [scale for scale, effect in effects.items() if effect.seeds > 1]
    return (replicated or list(effects))[-1]


def _measured(effect: _Effect) -> Measured:
    return Measured(effect.value, effect.error, effect.spread.degrees)


def _shrunken(effect: _Effect, drawn: Believed, variants: int, level: float) -> Estimate:
    value, low, high = (math.expm1(max(-_ENDLESS, min(_ENDLESS, x))) for x in (drawn.value, drawn.low, drawn.high))
    return Estimate(
        value=value, low=low, high=high, level=level, unit="relative", n=effect.seeds,
        method=f"empirical Bayes over {variants} variant{'s' if variants > 1 else ''}",
    )  # fmt: skip


def _outside(effect: _Effect, worth: float) -> float:
    """Return the larger p-value of the two one-sided tests that the effect is beyond plus or minus ``worth``."""
    margins = (effect.value - math.log1p(-worth), math.log1p(worth) - effect.value)
    if effect.error == 0.0:
        return 0.0 if min(margins) > 0.0 else 1.0
    return max(tail(margin / effect.error, effect.spread.degrees) for margin in margins)


def _at_scale(effect: _Effect, level: float) -> Estimate:
    if effect.seeds > 1:
        return effect.estimate(level)
    return effect.estimate(level, "one run per arm: the noise is that of other arms and scales")


def _cautions(head: str, effects: dict[str, _Effect], p_trend: float) -> tuple[str, ...]:
    cautions: list[str] = []
    if len(effects) == 1:
        cautions.append("measured at one size only: no adoption from one size")
    if effects[head].seeds == 1:
        cautions.append("one run per arm: the noise is that of other arms and scales")
    if all(effect.value == 0.0 for effect in effects.values()):
        cautions.append("every run gave exactly the baseline's value: does the variant change anything?")
    if p_trend < TREND:
        first, last = (next(iter(effects)), list(effects)[-1])
        shown = " and ".join(f"{100 * math.expm1(effects[s].value):+.2f} % at {s}" for s in (first, last))
        cautions.append(f"the effect changes with size ({shown}): do not carry it to the full run unseen")
    return tuple(cautions)


def _trend(arms: Arms, effects: dict[str, _Effect]) -> tuple[float, float, float]:
    """Return the slope of a straight line in the log of size, its error, and the p-value that the effect has none."""
    if len(effects) < 2 or any(effect.error == 0.0 for effect in effects.values()):
        return 0.0, 0.0, 1.0
    weights = [1.0 / effect.spread.variance for effect in effects.values()]
    places = [math.log(arms.sizes[scale]) for scale in effects]
    centre = math.fsum(w * x for w, x in zip(weights, places, strict=True)) / math.fsum(weights)
    reach = math.fsum(w * (x - centre) ** 2 for w, x in zip(weights, places, strict=True))
    if reach == 0.0:
        return 0.0, 0.0, 1.0
    parts = zip(weights, places, effects.values(), strict=True)
    slope = math.fsum(w * (x - centre) * effect.value for w, x, effect in parts) / reach
    error = reach**-0.5
    # The rungs share what is known of the noise, so that degrees of freedom are averaged, not added up.
    parts = zip(weights, places, effects.values(), strict=True)
    degrees = math.fsum(w * (x - centre) ** 2 / reach * effect.spread.degrees for w, x, effect in parts)
    return slope, error, two_sided(slope, error, degrees)
