"""What a comparison says about a variant: one word, one reason, one next step."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Literal

from pilotlight.spec import Record
from pilotlight.stats.comparison import Comparison
from pilotlight.stats.power import MOST, detectable, fewest, power
from pilotlight.stats.rule import Rule
from pilotlight.units import show_share

_UNBOUNDED = 10.0  # width of an interval of relative gains beyond which its ends say nothing


class Verdict(StrEnum):
    """The four answers to "does this change go in?"."""

    ADOPT = "ADOPT"
    """Better beyond chance, by at least the worth, at two sizes or more, and not fading with size."""

    REJECT = "REJECT"
    """Worse beyond chance."""

    EQUIVALENT = "EQUIVALENT"
    """Shown to differ by less than the worth, in either direction."""

    UNDECIDED = "UNDECIDED"
    """Not enough evidence for any of the others; never "no difference"."""


class Judgement(Record):
    """A verdict with its reason and the next step, each one sentence."""

    verdict: Verdict
    because: str
    next: str


def judge(comparison: Comparison, rule: Rule, better: Literal["lower", "higher"] = "lower") -> Judgement:
    """Return the verdict on one variant.

    In this order: EQUIVALENT where two one-sided tests, corrected over variants, place the effect within plus or minus
    ``worth``. ADOPT where the interval lies wholly on the good side of zero and the effect itself reaches ``worth``;
    the interval need not clear ``worth``, because an effect of exactly that size deserves adoption and no number of
    seeds would ever show it to be larger. Such a gain at one size only, or one that shrinks with size beyond chance,
    says nothing about the full run: UNDECIDED. REJECT where the interval lies wholly on the bad side of zero. Otherwise
    UNDECIDED, which says how much power there was, or that a gain of ``worth`` is at least ruled out.
    """
    gain, shown, worth = _gain(comparison, better), _shown(comparison, better), show_share(rule.worth)
    if comparison.p_equivalent <= 1.0 - rule.level:
        return Judgement(
            verdict=Verdict.EQUIVALENT,
            because=f"The effect is {shown}: shown to be smaller than the {worth} that matters.",
            next="Choose by cost or simplicity: more seeds would not change this.",
        )
    if gain[0] > 0.0 and gain[1] >= rule.worth:
        return _better(comparison, shown, worth)
    if gain[2] < 0.0:
        return Judgement(
            verdict=Verdict.REJECT,
            because=f"The effect is {shown}: worse beyond chance.",
            next="Leave the change out of the full run.",
        )
    return Judgement(
        verdict=Verdict.UNDECIDED,
        because=f"The effect is {shown}{_doubt(comparison, rule, gain)}.",
        next=_more(comparison, rule, gain),
    )


def _gain(comparison: Comparison, better: Literal["lower", "higher"]) -> tuple[float, float, float]:
    """Return lowest, likeliest and highest gain; positive is better."""
    effect = comparison.effect
    if better == "higher":
        return effect.low, effect.value, effect.high
    return -effect.high, -effect.value, -effect.low


def _shown(comparison: Comparison, better: Literal["lower", "higher"]) -> str:
    effect = comparison.effect
    low, value, high = _gain(comparison, better)
    word = "better" if value >= 0.0 else "worse"
    seeds = f"{comparison.seeds} seed{'s' if comparison.seeds > 1 else ''}"
    bounds = f"gain between {100 * low:.2f} and {100 * high:.2f} %" if high - low < _UNBOUNDED else "gain unbounded"
    return f"{show_share(abs(value))} {word} ({bounds} at {100 * effect.level:.3g} % confidence, {seeds} at {comparison.scale})"


def _doubt(comparison: Comparison, rule: Rule, gain: tuple[float, float, float]) -> str:
    worth, chance = show_share(rule.worth), f"{100 * comparison.power:.0f} %"
    if gain[0] > 0.0:
        return f": better beyond chance, but perhaps by less than the {worth} that matters"
    if gain[2] < rule.worth:
        return f": a gain of {worth} is ruled out, but whether it is harmful or equivalent is open"
    if comparison.power < rule.power:
        return f", and the power to see {worth} was only {chance}: too little to decide"
    return f": neither an effect beyond chance nor one surely smaller than {worth} (power {chance})"


def _better(comparison: Comparison, shown: str, worth: str) -> Judgement:
    """Return the verdict on a gain that is beyond chance and large enough, which may still not carry to the full run."""
    gain = f"The effect is {shown}: better beyond chance, and by the {worth} that matters or more"
    seeds = max(2, comparison.seeds)
    if len(comparison.by_scale) == 1:
        return Judgement(
            verdict=Verdict.UNDECIDED,
            because=f"{gain}, but at one size only: no adoption from one size, which says nothing about the full run.",
            next=f"Train it beside the baseline at a second size, and confirm it there on {seeds} fresh seeds.",
        )
    if comparison.is_fading:
        (first, small), *_, (last, large) = comparison.by_scale.items()
        return Judgement(
            verdict=Verdict.UNDECIDED,
            because=f"{gain}, but it shrinks with size beyond chance ({100 * small.value:+.2f} % at {first}, "
            f"{100 * large.value:+.2f} % at {last}): it may be gone at the full size.",
            next="Train it beside the baseline at a larger size, nearer to the full run.",
        )
    return Judgement(
        verdict=Verdict.ADOPT,
        because=f"{gain}.",
        next=f"Confirm it on {seeds} fresh seeds: the best of several looks better than it is.",
    )


def _more(comparison: Comparison, rule: Rule, gain: tuple[float, float, float]) -> str:
    """Return what more seeds would do; the spread is taken as known now, the degrees of freedom as growing with it."""
    # Where the gain is real but may be too small, what is left to see is its distance from the worth.
    distance = abs(gain[1] - rule.worth) if gain[0] > 0.0 else rule.worth
    needed = fewest(lambda seeds: _power_at(comparison, rule, distance, seeds) >= rule.power, comparison.seeds + 1)
    count = f"{MOST} seeds or more" if needed >= MOST else f"about {needed} seeds"
    advice = "Leave the change out, as things stand: " if gain[2] < rule.worth else ""
    if needed <= rule.most_seeds:
        text = f"{count} per arm would see {show_share(distance)} with {100 * rule.power:.0f} % power."
        return advice + text if advice else text[0].upper() + text[1:]
    most = max(rule.most_seeds, comparison.seeds)
    error, degrees = _at(comparison, most)
    reach = math.expm1(detectable(error, degrees, comparison.effect.level, rule.power))
    text = (
        f"seeing {show_share(distance)} with {100 * rule.power:.0f} % power would take {count} per arm; "
        f"{most} would see {show_share(reach)}."
    )
    return advice + text if advice else text[0].upper() + text[1:]


def _at(comparison: Comparison, seeds: int) -> tuple[float, float]:
    return comparison.error * math.sqrt(comparison.seeds / seeds), comparison.degrees + (seeds - comparison.seeds)


def _power_at(comparison: Comparison, rule: Rule, distance: float, seeds: int) -> float:
    error, degrees = _at(comparison, seeds)
    return power(math.log1p(distance), error, degrees, comparison.effect.level)
