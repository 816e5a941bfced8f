import math

import numpy as np
import pytest
from campaign_examples import above, bench

from pilotlight.errors import EvidenceError
from pilotlight.stats.bootstrap import ratio_of_sums, two_level


def f1(items):
    said, true = items[:, 0] > 0.5, items[:, 1] > 0.5
    return 2 * float((said & true).sum()) / max(1.0, float(said.sum() + true.sum()))


@pytest.mark.parametrize(("runs", "items"), [(2, 20), (2, 200), (3, 50), (5, 20)])
@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_intervals_over_runs_and_items_cover(runs, items, spread):
    assert bench.scores_covered(runs, items, spread, "normal", 1000) >= above(0.945, 1000)


@pytest.mark.parametrize(("runs", "items"), [(1, 20), (1, 100), (2, 50), (3, 50)])
def test_shares_cover(runs, items):
    assert bench.scores_covered(runs, items, 0.0 if runs == 1 else 0.15, "right or wrong", 1000) >= above(0.94, 1000)


@pytest.mark.parametrize(
    ("runs", "items", "accuracy", "flips"), [(5, 20, 0.95, 0.0), (3, 50, 0.97, 0.0), (5, 20, 0.95, 0.01)]
)
def test_high_shares_cover_where_runs_are_right_on_the_same_items(runs, items, accuracy, flips):
    # 50 items with a share of 0.97 right take few values: Wilson's interval itself covers 0.935 there.
    assert bench.shared_items_covered(runs, items, accuracy, flips, 1000) >= above(0.93, 1000)


def test_two_runs_that_differ_more_than_chance_cover_on_many_items():
    # Runs and single answers both matter here, what items have in common hardly does.
    assert bench.scores_covered(2, 400, 0.15, "right or wrong", 1000) >= above(0.94, 1000)


def test_items_with_nothing_in_common_leave_the_interval_over_run_means():
    scores = np.array([[1.0, -1.0] * 10, [-1.0, 1.0] * 10]) + np.array([[0.3], [0.0]])
    found = two_level(scores, unit="x")
    assert found.half_width == pytest.approx(12.7062 * 0.15, rel=1e-4)


@pytest.mark.slow
def test_bits_per_byte_cover():
    assert bench.scores_covered(3, 60, 0.15, "bits per byte", 1000) >= above(0.945, 1000)


@pytest.mark.parametrize("runs", [
    [[0.1, 0.2, 0.3, 0.7], [0.7, 0.3, 0.1, 0.2]], [[0.1, 0.2, 0.4, 0.7], [0.7, 0.4, 0.1, 0.2]], [[0.0, 10.0], [10.0, 0.0]],
])  # fmt: skip
def test_runs_of_one_mean_whose_answers_differ_have_an_interval(runs):
    assert two_level(np.array(runs), unit="x").half_width > 0.1


def test_a_mean_written_as_a_statistic_gives_the_interval_of_the_mean():
    scores = np.random.default_rng(0).standard_normal((3, 40))
    plain, written = two_level(scores, unit="x"), two_level(scores, unit="x", statistic=lambda run: float(run.mean()))
    assert (written.value, written.low, written.high) == pytest.approx((plain.value, plain.low, plain.high))


def test_bits_per_byte_is_the_ratio_of_the_sums():
    scores = np.array([[[10.0, 5.0], [30.0, 20.0], [8.0, 4.0]], [[12.0, 5.0], [28.0, 20.0], [8.0, 4.0]]])
    assert two_level(scores, unit="bits/byte", statistic=ratio_of_sums).value == pytest.approx(48 / 29)


def test_f1_gets_an_interval():
    generator = np.random.default_rng(2)
    true = generator.random((1, 300)) < 0.4
    said = np.where(generator.random((4, 300)) < 0.8, true, ~true)
    found = two_level(np.stack([said, np.broadcast_to(true, said.shape)], axis=-1), unit="share", statistic=f1)
    assert 0.0 < found.half_width < 0.15
    assert found.n == 4


def test_one_run_says_that_seed_noise_is_missing():
    found = two_level(np.random.default_rng(0).standard_normal((1, 30)), unit="x")
    assert any("seeds" in caution for caution in found.cautions)
    assert (found.n, found.method) == (30, "bootstrap-t over items")


def test_below_ten_items_nothing_is_resampled():
    found = two_level(np.random.default_rng(0).standard_normal((1, 9)), unit="x")
    assert found.method == "t over items"
    assert "only 9 items" in found.cautions


@pytest.mark.parametrize("runs", [1, 3])
def test_all_right_is_not_certainty_however_many_runs_say_so(runs):
    found = two_level(np.ones((runs, 20)), unit="share")
    assert found.value == found.high == 1.0
    assert found.low == pytest.approx(20.0 / (20.0 + 1.96**2), abs=0.001)


@pytest.mark.parametrize("scores", [np.zeros((2, 1)), np.zeros(5), np.full((2, 3), math.nan), np.zeros((1, 3, 2))])
def test_scores_that_say_nothing_are_refused(scores):
    with pytest.raises(EvidenceError):
        two_level(scores, unit="x")


def test_a_statistic_that_is_not_finite_is_refused():
    with pytest.raises(EvidenceError, match="not finite"):
        two_level(np.ones((2, 5)), unit="x", statistic=lambda run: math.nan)


def test_the_same_scores_give_the_same_interval():
    scores = np.random.default_rng(0).standard_normal((1, 30))
    assert two_level(scores, unit="x") == two_level(scores, unit="x")
