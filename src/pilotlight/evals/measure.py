"""From scores of items to estimates: the metrics of every task, over items and runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, final

import numpy as np

from pilotlight.errors import EvidenceError
from pilotlight.record.scores import ItemScore, Measured
from pilotlight.stats.bootstrap import ratio_of_sums, two_level
from pilotlight.stats.estimate import Estimate, exact
from pilotlight.stats.metric import METRICS

Fields = Callable[[Sequence[ItemScore]], Any]
Statistic = Callable[[Any], float]


@final
@dataclass(frozen=True, slots=True)
class Measure:
    """One metric: the numbers it takes from every item, and the statistic over items (without one, their mean)."""

    name: str
    unit: str
    better: Literal["lower", "higher"]
    fields: Fields
    statistic: Statistic | None = None
    chance: float | None = None

    def of(self, runs: Sequence[Sequence[ItemScore]]) -> Measured:
        """Return the mean over runs with its interval, for new items and, with several runs, new seeds.

        Raises:
            EvidenceError: the statistic is not finite.
        """
        scores = np.stack([self.fields(run) for run in runs]).astype(float)
        estimate = _estimate(scores, self.unit, self.statistic)
        chance = self.chance
        if chance is not None and estimate.low <= chance <= estimate.high:
            caution = f"not told apart from chance ({chance:.3g})"
            estimate = estimate.model_copy(update={"cautions": (*estimate.cautions, caution)})
        return Measured(metric=self.name, better=self.better, estimate=estimate, chance=chance)

    def difference(self, new: Sequence[Sequence[ItemScore]], old: Sequence[Sequence[ItemScore]]) -> Estimate:
        """Return new minus old, paired over the items and over the runs, which come in pairs.

        Raises:
            EvidenceError: the two do not hold the same number of runs and items.
        """
        left, right = (np.stack([self.fields(run) for run in runs]).astype(float) for runs in (old, new))
        if left.shape != right.shape:
            raise EvidenceError(
                f"scores of shape {left.shape} and {right.shape} cannot be paired; score the same items."
            )
        if left.ndim == 2:
            left, right = left[:, :, None], right[:, :, None]
        width, statistic = left.shape[2], self.statistic or _mean
        # Both sides go through one statistic, so that an item that is hard for both counts once.
        return _estimate(
            np.concatenate([left, right], axis=2), self.unit,
            lambda both: statistic(both[:, width:]) - statistic(both[:, :width]),
        )  # fmt: skip


def _mean(scores: Any) -> float:
    return float(scores.mean())


def _estimate(scores: Any, unit: str, statistic: Statistic | None) -> Estimate:
    if scores.shape[1] > 1:
        found = two_level(scores, unit=unit, statistic=statistic)
        if found.low < found.high:
            return found
        caution = "every item gives the same, so the interval has no width: other items may differ"
        return found.model_copy(update={"cautions": (*found.cautions, caution)})
    value = float(np.mean([(statistic or _mean)(run) for run in scores]))
    return exact(value, unit, "one item", 1, "one item: how far other items differ cannot be known")


def chosen(score: ItemScore) -> int:
    """Return the option with the highest likelihood per byte."""
    return int(np.argmin(np.array(score.nats) / np.array(score.bytes)))


def _measure(name: str, fields: Fields, statistic: Statistic | None = None, chance: float | None = None) -> Measure:
    known = METRICS[name]
    return Measure(name, known.unit, known.better, fields, statistic, chance)


def accuracy(chance: float) -> tuple[Measure, ...]:
    """Return the share of items whose right option is the likeliest per byte, and the same by total likelihood.

    The total favours short options; per byte is less so (Brown et al. 2020, arXiv 2005.14165, section 2.4).
    """
    per_byte = _measure("accuracy", lambda run: np.array([chosen(score) == score.right for score in run]), None, chance)
    total = _measure(
        "accuracy_by_total",
        lambda run: np.array([int(np.argmin(score.nats)) == score.right for score in run]),
        None,
        chance,
    )
    return per_byte, total


def averaged(labels: Sequence[int], count: int) -> tuple[Measure, ...]:
    """Return precision, recall and F1, each averaged over the labels that occur among the ``count`` possible ones.

    A label that no item has is in no average: its recall is undefined. One that is never given has precision 0.
    """
    kept = sorted(set(labels))

    def fields(run: Sequence[ItemScore]) -> Any:
        return np.array([(score.right, chosen(score)) for score in run], dtype=float)

    def shares(scores: Any) -> tuple[Any, Any]:
        pairs = scores.astype(np.int64)
        table = np.bincount(pairs[:, 0] * count + pairs[:, 1], minlength=count * count).reshape(count, count)
        hits, given, there = np.diag(table)[kept], table.sum(0)[kept], table.sum(1)[kept]
        return hits / np.maximum(given, 1), hits / np.maximum(there, 1)

    def f1(scores: Any) -> float:
        precision, recall = shares(scores)
        both = precision + recall
        return float((2 * precision * recall / np.where(both > 0, both, 1.0)).mean())

    return (
        _measure("precision", fields, lambda scores: float(shares(scores)[0].mean())),
        _measure("recall", fields, lambda scores: float(shares(scores)[1].mean()), 1 / count),
        _measure("f1", fields, f1),
    )


def pseudo(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """Return the measures of a model that gives each token a likelihood given all others, and a text none."""
    found: list[Measure] = []
    for measure in measures:
        name = {"bits_per_byte": "pseudo_bits_per_byte", "perplexity": "pseudo_perplexity"}.get(measure.name)
        found.append(replace(measure, name=name, unit=METRICS[name].unit) if name else measure)
    return tuple(found)


def masked_loss() -> Measure:
    """Return the nats per masked token of held-out text, as a masked model's run has scored it."""

    def nats(run: Sequence[ItemScore]) -> Any:
        return np.array([(score.nats[0], score.tokens[0]) for score in run], dtype=float)

    return _measure("masked_nats_per_token", nats, ratio_of_sums)


def text_likelihood() -> tuple[Measure, ...]:
    """Return bits per byte and perplexity of a text, or of the right option where there are options."""

    def place(score: ItemScore) -> int:
        return score.right or 0

    def bits(run: Sequence[ItemScore]) -> Any:
        rows = [(score.nats[place(score)] / np.log(2), score.bytes[place(score)]) for score in run]
        return np.array(rows, dtype=float)

    def nats(run: Sequence[ItemScore]) -> Any:
        rows = [(score.nats[place(score)], score.tokens[place(score)]) for score in run]
        return np.array(rows, dtype=float)

    return (
        _measure("bits_per_byte", bits, ratio_of_sums),
        _measure("perplexity", nats, lambda scores: float(np.exp(min(700.0, ratio_of_sums(scores))))),
    )
