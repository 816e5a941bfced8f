"""A score by k-fold: every part of the data held out once, a model trained on the rest."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pilotlight.errors import EvidenceError
from pilotlight.stats.estimate import Estimate
from pilotlight.stats.student import critical, mean, products


def k_fold(scores: Sequence[float], *, unit: str, level: float = 0.95, share: float | None = None) -> Estimate:
    """Return the mean score over folds, with an interval for new text *and* newly drawn training text.

    ``scores`` holds one number per fold. Folds are not independent, for their training texts overlap: the variance of
    their mean is (1 / k + test / train) times that between folds instead of 1 / k (Nadeau & Bengio 2003, equation 9),
    with k - 1 degrees of freedom.

    Where the *same* trained models are scored on every shard, shards are nothing but large items: use ``two_level`` on
    [runs shards].

    Args:
        scores: one per fold.
        unit: of the scores.
        level: of the interval.
        share: size of a held-out part over that of the text trained on; by default 1 / (k - 1), as in k-fold.

    Raises:
        EvidenceError: fewer than three folds, or a score that is not finite.
    """
    _refuse_few(scores)
    count = len(scores)
    overlap = 1.0 / (count - 1) if share is None else share
    value = mean(scores)
    variance = products(scores, scores) / (count - 1)
    half = critical(level, count - 1) * math.sqrt((1.0 / count + overlap) * variance)
    cautions = () if half > 0.0 else ("every fold gives the same, so the interval has no width",)
    return Estimate(
        value=value, low=value - half, high=value + half, level=level, unit=unit, n=count,
        method="t over folds, variance for overlapping training text", cautions=cautions,
    )  # fmt: skip


def apart(scores: Sequence[float], *, level: float = 0.95) -> Estimate:
    """Return the difference of the first score from the mean of the others, relative to that mean.

    As the prediction interval of one further observation: the variance of the difference is that of the others times
    (1 + 1 / (k - 1)), Student's t has k - 2 degrees of freedom. Where the interval holds 0 the first may be one like them.

    Raises:
        EvidenceError: fewer than three scores, or one that is not finite, or others whose mean is not above 0.
    """
    _refuse_few(scores)
    others, count = scores[1:], len(scores) - 1
    value = mean(others)
    if value <= 0.0:
        raise EvidenceError(f"the mean of the other folds is {value:g}; a relative difference needs one above 0.")
    half = critical(level, count - 1) * math.sqrt(products(others, others) / (count - 1) * (1.0 + 1.0 / count))
    found = scores[0] / value - 1.0
    return Estimate(
        value=found, low=found - half / value, high=found + half / value, level=level, unit="relative", n=len(scores),
        method="t over the other folds",
    )  # fmt: skip


def _refuse_few(scores: Sequence[float]) -> None:
    """Return if there are three scores or more, all of them finite."""
    if len(scores) < 3:
        raise EvidenceError(
            f"{len(scores)} folds tell too little of the spread between them; use at least 3, better 5 or 10."
        )
    if not all(math.isfinite(score) for score in scores):
        raise EvidenceError("the score of a fold is not a finite number; look why that training failed.")
