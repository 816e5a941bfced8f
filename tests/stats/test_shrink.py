"""The best of several arms: its shrunken mean is not too good to be true, and what choosing it risks is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pilotlight.errors import EvidenceError
from pilotlight.stats.shrink import shrink


def arms(draw, truths, seeds: int, noise: float) -> dict[str, dict[int, float]]:
    shifts = draw.normal(0, 3 * noise, seeds)
    return {f"a{place}": {seed: 3.0 * math.exp(truth + shifts[seed] + draw.normal(0, noise)) for seed in range(seeds)}
            for place, truth in enumerate(truths)}  # fmt: skip


def test_the_winner_of_equal_arms_is_not_believed():
    draw = np.random.default_rng(0)
    raw, shrunken, regret = [], [], []
    for _ in range(200):
        runs = arms(draw, [0.0] * 4, 3, 0.01)
        found = shrink(runs)
        level = np.mean([value for values in runs.values() for value in values.values()])
        raw.append(np.mean(list(runs[found.winner].values())) / level - 1)
        shrunken.append(found.arms[found.winner].value / level - 1)
        regret.append(found.regret.value)
    assert np.mean(raw) < -0.004
    assert np.mean(shrunken) > 0.5 * np.mean(raw)
    assert np.mean(regret) > 0, "equal arms are not known to be equal"


def test_an_arm_that_is_far_better_stays_so():
    found = shrink(arms(np.random.default_rng(1), [0.0, -0.2, 0.01], 3, 0.002))
    assert found.winner == "a1"
    assert found.regret.high < 0.001
    assert found.arms["a1"].value / found.arms["a0"].value == pytest.approx(math.exp(-0.2), rel=0.01)


def test_the_expected_regret_is_what_is_lost_on_average():
    draw = np.random.default_rng(2)
    expected, lost = [], []
    for _ in range(300):
        truths = draw.normal(0, 0.01, 4)
        found = shrink(arms(draw, truths, 2, 0.01))
        expected.append(found.regret.value)
        lost.append(truths[int(found.winner[1:])] - truths.min())
    assert np.mean(expected) == pytest.approx(np.mean(lost), rel=0.4)


@pytest.mark.parametrize(("count", "seeds", "apart"), [(3, 2, 0.6), (3, 3, 1.0), (5, 3, 3.0)])
def test_the_intervals_of_shrunken_means_cover(count, seeds, apart):
    draw, hits = np.random.default_rng(4), []
    for _ in range(150):
        truths, noise = draw.normal(0, apart * 0.005, count), 0.005
        runs = {f"a{place}": {seed: 3.0 * math.exp(truth + draw.normal(0, noise)) for seed in range(seeds)}
                for place, truth in enumerate(truths)}  # fmt: skip
        found = shrink(runs).arms
        hits += [found[f"a{place}"].low <= 3.0 * math.exp(truth) <= found[f"a{place}"].high
                 for place, truth in enumerate(truths)]  # fmt: skip
    assert np.mean(hits) > 0.9


def test_a_baseline_that_nobody_selected_is_not_pulled():
    runs = arms(np.random.default_rng(3), [0.1, 0.0, 0.001], 3, 0.003)
    found = shrink(runs, anchors=["a0"])
    values = [math.log(value) for value in runs["a0"].values()]
    assert found.arms["a0"].value == pytest.approx(math.exp(float(np.mean(values))))
    assert found.winner != "a0"


def test_more_may_be_better():
    found = shrink({"a": {0: 0.5, 1: 0.52}, "b": {0: 0.6, 1: 0.61}}, better="higher")
    assert found.winner == "b"
    assert found.arms["b"].low < found.arms["b"].value < found.arms["b"].high


def test_arms_without_a_common_seed_do_not_compare():
    with pytest.raises(EvidenceError, match="no seed"):
        shrink({"a": {0: 1.0}, "b": {1: 1.0}})
