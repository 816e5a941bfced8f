from __future__ import annotations

import math

import numpy as np
import pytest

from pilotlight.evals.measure import accuracy, averaged, chosen, text_likelihood
from pilotlight.record.scores import ItemScore


def given_labels(pairs, count=3):
    """Scores whose likeliest option is the second of each pair."""
    return [
        ItemScore(item=str(n), nats=tuple(0.0 if k == said else 1.0 for k in range(count)), tokens=(1,) * count,
                  bytes=(1,) * count, right=right)
        for n, (right, said) in enumerate(pairs)
    ]  # fmt: skip


PAIRS = [(0, 0), (0, 0), (0, 1), (1, 1), (1, 2), (1, 1), (2, 2), (2, 0), (2, 2), (2, 2)]


def test_precision_recall_and_f1_are_those_computed_by_hand():
    measures = {m.name: m.of([given_labels(PAIRS)]).estimate for m in averaged([right for right, _ in PAIRS], 3)}
    # label 0: 2 hits of 3 given, of 3 there; label 1: 2 of 3, of 3; label 2: 3 of 4, of 4
    assert measures["precision"].value == pytest.approx((2 / 3 + 2 / 3 + 3 / 4) / 3)
    assert measures["recall"].value == pytest.approx((2 / 3 + 2 / 3 + 3 / 4) / 3)
    assert measures["f1"].value == pytest.approx((2 / 3 + 2 / 3 + 3 / 4) / 3)
    uneven = [(0, 0), (0, 1), (0, 1), (1, 1)]
    found = {m.name: m.of([given_labels(uneven, 2)]).estimate.value for m in averaged([0, 0, 0, 1], 2)}
    assert found["precision"] == pytest.approx((1 + 1 / 3) / 2)
    assert found["recall"] == pytest.approx((1 / 3 + 1) / 2)
    assert found["f1"] == pytest.approx((0.5 + 0.5) / 2)


def test_a_label_that_no_item_has_is_in_no_average():
    found = {m.name: m.of([given_labels([(0, 0), (0, 2), (1, 1)])]).estimate.value for m in averaged([0, 0, 1], 3)}
    assert found["recall"] == pytest.approx((0.5 + 1) / 2)


def test_accuracy_goes_by_likelihood_per_byte_and_by_total():
    long_is_right = ItemScore(item="1", nats=(8.0, 4.0), tokens=(9, 3), bytes=(10, 3), right=0)
    assert chosen(long_is_right) == 0
    per_byte, total = (m.of([[long_is_right] * 3]).estimate.value for m in accuracy(0.5))
    assert (per_byte, total) == (1.0, 0.0)


def test_bits_per_byte_and_perplexity_are_of_the_right_option():
    scores = [ItemScore(item=str(n), nats=(9.0, 2.0), tokens=(1, 2), bytes=(1, 4), right=1) for n in range(5)]
    bits, perplexity = (m.of([scores]).estimate for m in text_likelihood())
    assert bits.value == pytest.approx(2 / math.log(2) / 4)
    assert perplexity.value == pytest.approx(math.e)
    assert bits.unit == "bits/byte"


def drawn(seed, share, items=200):
    rng = np.random.default_rng(seed)
    return given_labels([(0, int(rng.random() > share)) for _ in range(items)], 2)


def test_one_run_says_that_seed_noise_is_missing_and_several_carry_it():
    per_byte, _ = accuracy(0.5)
    one = per_byte.of([drawn(0, 0.8)]).estimate
    three = per_byte.of([drawn(0, 0.7), drawn(1, 0.8), drawn(2, 0.9)]).estimate
    assert one.n == 200
    assert any("noise between seeds" in caution for caution in one.cautions)
    assert three.n == 3
    assert not any("noise between seeds" in caution for caution in three.cautions)
    assert three.half_width > one.half_width


def test_a_score_at_chance_level_says_so():
    per_byte, _ = accuracy(0.5)
    at_chance, above = per_byte.of([drawn(3, 0.5)]), per_byte.of([drawn(3, 0.9)])
    assert at_chance.chance == 0.5
    assert any("chance" in caution for caution in at_chance.estimate.cautions)
    assert not any("chance" in caution for caution in above.estimate.cautions)


def test_a_difference_is_paired_over_items():
    per_byte, _ = accuracy(0.5)
    old = drawn(0, 0.7)
    # the same items wrong, but for ten that are now right
    fixed = {score.item for score in [score for score in old if chosen(score) != 0][:10]}
    new = [drawn(0, 2.0)[0].model_copy(update={"item": s.item}) if s.item in fixed else s for s in old]
    found = per_byte.difference([new], [old])
    assert found.value == pytest.approx(0.05)
    assert 0 < found.low < found.high < 0.1
    alone = per_byte.of([old]).estimate
    assert found.half_width < alone.half_width


def test_a_difference_of_a_ratio_is_the_difference_of_the_ratios():
    rng = np.random.default_rng(5)

    def run(shift):
        return [ItemScore(item=str(n), nats=(float(v) + shift,), tokens=(3,), bytes=(7,)) for n, v in enumerate(nats)]

    nats = rng.gamma(4, 1, 50)
    bits, _ = text_likelihood()
    found = bits.difference([run(0.7), run(0.7)], [run(0.0), run(0.0)])
    assert found.value == pytest.approx(0.7 / math.log(2) / 7)
    assert found.half_width == pytest.approx(0, abs=1e-6)


def test_one_item_has_no_interval_and_says_so():
    bits, _ = text_likelihood()
    found = bits.of([[ItemScore(item="1", nats=(2.0,), tokens=(2,), bytes=(4,))]]).estimate
    assert found.low == found.value == found.high
    assert any("one item" in caution for caution in found.cautions)
