import math

import numpy as np
import pytest
from campaign_examples import above, bench
from scipy import stats

from pilotlight.errors import EvidenceError
from pilotlight.stats.folds import apart, k_fold


def test_the_interval_allows_for_training_text_that_overlaps():
    scores = [1.0, 1.2, 1.1, 0.9, 1.3]
    found = k_fold(scores, unit="bits/byte")
    plain = stats.t.interval(0.95, 4, 1.1, stats.sem(scores))
    assert found.value == pytest.approx(1.1)
    assert found.half_width == pytest.approx((plain[1] - plain[0]) / 2 * math.sqrt((1 / 5 + 1 / 4) * 5))
    assert found.n == 5
    assert k_fold(scores, unit="x", share=0.0).half_width == pytest.approx((plain[1] - plain[0]) / 2)


def test_k_fold_covers():
    assert bench.folds_covered(5, 40, 300) >= above(0.94, 300)


@pytest.mark.parametrize(("scores", "message"), [([1.0, 2.0], "at least 3"), ([1.0, 2.0, math.nan], "not a finite")])
def test_folds_that_say_nothing_are_refused(scores, message):
    with pytest.raises(EvidenceError, match=message):
        k_fold(scores, unit="x")
    with pytest.raises(EvidenceError, match=message):
        apart(scores)


def test_nothing_is_relative_to_others_at_zero():
    with pytest.raises(EvidenceError, match="above 0"):
        apart([1.0, 0.0, 0.0])


def test_the_first_fold_is_held_against_the_others():
    found = apart([1.5, 1.0, 1.2, 1.1])
    half = stats.t.ppf(0.975, 2) * math.sqrt(0.01 * (1 + 1 / 3)) / 1.1
    assert found.value == pytest.approx(1.5 / 1.1 - 1)
    assert (found.low, found.high) == (pytest.approx(found.value - half), pytest.approx(found.value + half))


def test_a_first_fold_like_the_others_is_rarely_called_apart():
    draw = np.random.default_rng(3)
    called = [not (found := apart(list(draw.normal(2.0, 0.1, 5)))).low <= 0 <= found.high for _ in range(1000)]
    assert 0.03 < np.mean(called) < 0.07


def test_equal_folds_say_that_the_interval_has_no_width():
    assert k_fold([1.0, 1.0, 1.0], unit="x").cautions
