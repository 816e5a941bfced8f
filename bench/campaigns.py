"""Simulated campaigns and evaluations, of which the truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.special import ndtr

from pilotlight.randomness import stream
from pilotlight.stats.bootstrap import ratio_of_sums, two_level
from pilotlight.stats.comparison import Comparison, Observation, compare
from pilotlight.stats.folds import k_fold
from pilotlight.stats.rule import Rule
from pilotlight.stats.verdict import Verdict, judge

CORRELATIONS = (-0.4, 0.0, 0.5, 0.88, 0.95)
RULE = Rule()
BASELINE = "baseline"


def adopted(main: Sequence[Observation], fresh: Sequence[Observation], rule: Rule = RULE) -> bool:
    """Return whether the first variant is adopted: it wins on the main runs, with the fresh ones, and again on those alone."""
    (found, *_) = compare(main, BASELINE, rule).comparisons
    if judge(found, rule).verdict is not Verdict.ADOPT:
        return False
    (pooled, *_) = compare([*main, *fresh], BASELINE, rule).comparisons
    if judge(pooled, rule).verdict is not Verdict.ADOPT:
        return False
    scale = fresh[0].scale
    (again, *_) = compare([*fresh, *(item for item in main if item.scale != scale)], BASELINE, rule).comparisons
    return -again.by_scale[scale].value >= rule.worth / 2


@dataclass(frozen=True)
class Campaign:
    """A ladder to simulate; effects are logarithmic, the noise of the baseline is ``noise`` at the lowest rung."""

    seeds: tuple[int, ...]
    correlations: tuple[float, ...]
    """With the baseline, one per variant."""

    effects: tuple[float, ...] = ()
    trend: float = 0.0
    """Added to every effect per rung below the top one."""

    noise: float = 0.005
    spreads: tuple[float, ...] = ()
    """Noise of each variant over the baseline's."""

    rung_noise: float = 1.0
    """Noise of a rung over that of the rung below."""

    rung_doubt: float = 0.0
    """Standard deviation of the change of the log of the variance per rung, which is drawn for every campaign."""

    tails: float = math.inf
    """Degrees of freedom of t-distributed noise."""

    apart: bool = False
    """The variants have seeds of their own, so that nothing can be paired; correlations have to be 0."""

    names: tuple[str, ...] = field(default=("2M", "6M", "18M"))

    def effect(self, variant: int, rung: int) -> float:
        """Return the true logarithmic effect of a variant at a rung."""
        top = len(self.seeds) - 1
        return (self.effects[variant] if self.effects else 0.0) + self.trend * (top - rung)

    def observations(self, generator: np.random.Generator) -> list[Observation]:
        """Return one simulated campaign."""
        found: list[Observation] = []
        for rung, seeds in enumerate(self.seeds):
            scale = {"scale": self.names[rung], "size": 2e6 * 3.0**rung}
            sd = self.noise * self.rung_noise**rung
            shared = self._draw(generator, seeds)
            logs = {BASELINE: sd * shared}
            for variant, correlation in enumerate(self.correlations):
                own = math.sqrt(1.0 - correlation**2) * self._draw(generator, seeds)
                spread = self.spreads[variant] if self.spreads else 1.0
                logs[f"v{variant}"] = sd * spread * (correlation * shared + own) + self.effect(variant, rung)
            found += [
                Observation(variant=name, seed=seed, value=1.5 * math.exp(value), **scale)
                for name, values in logs.items()
                for seed, value in enumerate(values.tolist(), 0 if name == BASELINE or not self.apart else 100)
            ]
        return found

    def _settled(self, generator: np.random.Generator) -> Campaign:
        """Return the campaign with what differs from one to the next drawn."""
        if self.rung_doubt == 0.0:
            return self
        change = math.exp(self.rung_doubt * generator.standard_normal() / 2.0)
        return replace(self, rung_noise=self.rung_noise * change, rung_doubt=0.0)

    def _draw(self, generator: np.random.Generator, count: int) -> np.ndarray:
        if math.isinf(self.tails):
            return generator.standard_normal(count)
        return generator.standard_t(self.tails, count) * math.sqrt((self.tails - 2.0) / self.tails)

    def runs(self, count: int, seed: int = 0) -> Iterator[list[Observation]]:
        """Return the runs of ``count`` simulated campaigns."""
        generator = stream(seed, "coverage", repr(self))
        for _ in range(count):
            yield self.observations(generator)

    def studies(self, count: int, seed: int = 0) -> Iterator[tuple[Comparison, ...]]:
        """Return the comparisons of ``count`` simulated campaigns."""
        for observations in self.runs(count, seed):
            yield compare(observations, BASELINE, RULE).comparisons

    def wins(self, generator: np.random.Generator) -> bool:
        """Return whether one simulated campaign adopts its first variant, confirmed on two fresh seeds as a pilot does."""
        return adopted(self.observations(generator), self.fresh(generator))

    def fresh(self, generator: np.random.Generator) -> list[Observation]:
        """Return two more seeds of every arm at the top rung that was replicated."""
        rung = max(place for place, seeds in enumerate(self.seeds) if seeds > 1)
        lonely = replace(self, seeds=tuple(2 if place == rung else 0 for place in range(len(self.seeds))))
        return [item.model_copy(update={"seed": item.seed + 1000}) for item in lonely.observations(generator)]

    def covered(self, count: int, seed: int = 0) -> list[float]:
        """Return, per variant, how often the uncorrected interval at the headline scale holds the true effect.

        Of normal noise the mean is independent of the spread, so that for each simulated interval the chance is known
        with which it holds the truth: counting hits would need several times the studies.
        """
        generator = stream(seed, "coverage", repr(self))
        shares = np.zeros(len(self.correlations))
        for _ in range(count):
            made = self._settled(generator)
            for variant, found in enumerate(compare(made.observations(generator), BASELINE, RULE).comparisons):
                interval, rung = found.by_scale[found.scale], self.names.index(found.scale)
                if math.isinf(self.tails):
                    half = (math.log1p(interval.high) - math.log1p(interval.low)) / 2.0
                    shares[variant] += 2.0 * ndtr(half / made._error(variant, rung)) - 1.0
                else:
                    shares[variant] += interval.low <= math.expm1(self.effect(variant, rung)) <= interval.high
        return (shares / count).tolist()

    def _error(self, variant: int, rung: int) -> float:
        """Return the true standard error of a logarithmic effect."""
        spread = self.spreads[variant] if self.spreads else 1.0
        variance = 1.0 + spread**2 - 2.0 * self.correlations[variant] * spread
        return self.noise * self.rung_noise**rung * math.sqrt(variance / self.seeds[rung])

    def corrected(self, count: int, seed: int = 0) -> tuple[float, float]:
        """Return the mean level of the corrected intervals, and the share of them that hold the true effect."""
        levels: list[float] = []
        hits: list[bool] = []
        for comparisons in self.studies(count, seed):
            for variant, found in enumerate(comparisons):
                truth = math.expm1(self.effect(variant, self.names.index(found.scale)))
                levels.append(found.effect.level)
                hits.append(found.effect.low <= truth <= found.effect.high)
        return float(np.mean(levels)), float(np.mean(hits))

    def half_width(self, count: int, seed: int = 0) -> float:
        """Return the median half width of the first variant's interval, in standard deviations of one run."""
        widths = [found[0].by_scale[found[0].scale].half_width for found in self.studies(count, seed)]
        return float(np.median(widths)) / self.noise

    def verdicts(self, count: int, seed: int = 0) -> dict[Verdict, float]:
        """Return the share of each verdict over all variants."""
        given = [judge(found, RULE).verdict for study in self.studies(count, seed) for found in study]
        return {verdict: given.count(verdict) / len(given) for verdict in Verdict}

    def false_coverage(self, count: int, seed: int = 0) -> float:
        """Return the mean share of the selected variants' intervals that miss (0 where none is selected)."""
        shares: list[float] = []
        for comparisons in self.studies(count, seed):
            missed: list[bool] = []
            for variant, found in enumerate(comparisons):
                if found.p_adjusted <= 1.0 - RULE.level:
                    truth = math.expm1(self.effect(variant, self.names.index(found.scale)))
                    missed.append(not found.effect.low <= truth <= found.effect.high)
            shares.append(sum(missed) / len(missed) if missed else 0.0)
        return float(np.mean(shares))


def scored(generator: np.random.Generator, runs: int, items: int, spread: float, kind: str) -> tuple[np.ndarray, float]:
    """Return scores [runs items ...] of one simulated evaluation, and the true mean over runs and items."""
    of_run, of_item = spread * generator.standard_normal((runs, 1)), generator.standard_normal((1, items))
    if kind == "normal":
        return of_run + of_item + 0.5 * generator.standard_normal((runs, items)), 0.0
    if kind == "right or wrong":
        # Tests differ in how hard they are: a count of few answers takes so few values that the coverage at one share
        # jumps up and down with the share, whatever the interval (Brown, Cai & DasGupta 2001).
        ease = 1.3 + 0.3 * generator.standard_normal()
        chance = ndtr(ease + of_run + of_item)
        return (generator.random((runs, items)) < chance).astype(float), float(ndtr(ease / math.sqrt(2.0 + spread**2)))
    if kind in ("f1", "recall", "precision"):
        # Yes or no, with items that are harder than others: columns are what is true and what the model said.
        true = (generator.random((1, items)) < 0.4) + np.zeros((runs, items), dtype=bool)
        right = ndtr(1.0 + of_run + of_item) > generator.random((runs, items))
        return np.stack([true, np.where(right, true, ~true)], axis=-1).astype(float), _truth(kind, spread)
    size = generator.lognormal(6.0, 0.6, (1, items)) + np.zeros((runs, 1))
    bits = size * (1.5 + 0.2 * of_run + 0.2 * of_item + 0.1 * generator.standard_normal((runs, items)))
    if kind == "perplexity":
        # Of the mean over runs of the exponential: the run's part is normal, so its mean is known.
        return np.stack([bits, size], axis=-1), math.exp(1.5 + (0.2 * spread) ** 2 / 2.0)
    return np.stack([bits, size], axis=-1), 1.5


def _truth(kind: str, spread: float) -> float:
    """Return the share in question for infinitely many items, averaged over runs."""
    points, weights = np.polynomial.hermite_e.hermegauss(40)
    right = ndtr((1.0 + spread * points) / math.sqrt(2.0))  # the item's part integrated out
    hits, false = 0.4 * right, 0.6 * (1.0 - right)
    shares = {"recall": right, "precision": hits / (hits + false), "f1": 2.0 * hits / (hits + false + 0.4)}
    return float(shares[kind] @ weights / weights.sum())


def agreement(kind: str) -> Callable[[np.ndarray], float]:
    """Return the statistic over items [items 2] of what is true and what was said."""

    def of(items: np.ndarray) -> float:
        hits = float((items[:, 0] * items[:, 1]).sum())
        true, said = float(items[:, 0].sum()), float(items[:, 1].sum())
        below = {"recall": true, "precision": said, "f1": (true + said) / 2.0}[kind]
        return hits / below if below > 0.0 else 0.0

    return of


def perplexity(items: np.ndarray) -> float:
    """Return the exponential of the sum of the first field over that of the second."""
    return math.exp(ratio_of_sums(items))


def scores_covered(runs: int, items: int, spread: float, kind: str, count: int) -> float:
    """Return how often the two-level interval holds the true mean."""
    generator = stream(0, "scores", runs, items, str(spread), kind)
    statistic = STATISTICS.get(kind)
    hits = 0
    for _ in range(count):
        scores, truth = scored(generator, runs, items, spread, kind)
        found = two_level(scores, unit="x", statistic=statistic)
        hits += found.low <= truth <= found.high
    return hits / count


STATISTICS = {
    "bits per byte": ratio_of_sums,
    "perplexity": perplexity,
    **{kind: agreement(kind) for kind in ("f1", "recall", "precision")},
}


def folds_covered(folds: int, size: int, count: int) -> float:
    """Return how often the k-fold interval of a least-squares fit's squared error holds its mean over all training texts."""
    generator = stream(0, "folds", folds, size)
    inputs = 5
    kept = size - size // folds
    truth = 1.0 + inputs / (kept - inputs - 1)
    hits = 0
    for _ in range(count):
        x = generator.standard_normal((size, inputs))
        y = generator.standard_normal(size)
        parts = np.arange(size) % folds
        scores = [
            float(
                (
                    (y[parts == k] - x[parts == k] @ np.linalg.lstsq(x[parts != k], y[parts != k], rcond=None)[0]) ** 2
                ).mean()
            )
            for k in range(folds)
        ]
        found = k_fold(scores, unit="x")
        hits += found.low <= truth <= found.high
    return hits / count


def shared_items_covered(runs: int, items: int, accuracy: float, flips: float, count: int) -> float:
    """Return how often the interval holds the true share, where all runs are right on the same items but for ``flips``.

    The share of items that are wrong is drawn between half and one and a half times what ``accuracy`` leaves.
    """
    generator = stream(0, "shared items", runs, items, str(accuracy), str(flips))
    hits = 0
    for _ in range(count):
        drawn = 1.0 - (1.0 - accuracy) * generator.uniform(0.5, 1.5)
        truth = drawn * (1.0 - flips) + (1.0 - drawn) * flips
        right = generator.random((1, items)) < drawn
        found = two_level((right ^ (generator.random((runs, items)) < flips)).astype(float), unit="x")
        hits += found.low <= truth <= found.high
    return hits / count
