from __future__ import annotations

import contextlib
import itertools
import math
import time
from dataclasses import replace

import pytest
from ladder_examples import chinchilla, grid, kaplan, ladder, power

from pilotlight.errors import EvidenceError
from pilotlight.randomness import stream
from pilotlight.record.forecast import Prediction
from pilotlight.scaling.points import Point
from pilotlight.scaling.predict import Study, predict


def test_a_planted_law_is_predicted_ten_times_further_out():
    found = predict(grid(chinchilla), 200e6, 4e9)
    assert found.loss.value == pytest.approx(chinchilla(200e6, 4e9), rel=0.01)
    assert found.loss.low < chinchilla(200e6, 4e9) < found.loss.high
    assert found.loss.unit == "bits/byte"
    assert found.reach == pytest.approx(200e6 * 4e9 / (64e6 * 64e6 * 80))


def test_three_rungs_of_a_pilot_carry_a_prediction_with_a_useful_interval():
    found = predict(ladder(chinchilla), 35e6, 700e6)
    assert found.loss.low < chinchilla(35e6, 700e6) < found.loss.high
    assert found.loss.half_width < 0.12 * found.loss.value
    assert any("same tokens per parameter" in caution for caution in found.cautions)
    assert any("cells" in caution for caution in found.cautions)


def test_the_same_points_in_any_order_give_the_same_prediction():
    points = ladder(chinchilla)
    texts = {predict(order, 35e6, 700e6).to_json() for order in (points, points[::-1], points[3:] + points[:3])}
    assert len(texts) == 1


@pytest.mark.parametrize(("size", "tokens", "loss"), [(1e-6, 1e-3, 1.0), (1.0, 1e3, 1.0), (1.0, 1.0, 0.6931)])
def test_the_units_of_size_tokens_and_loss_do_not_matter(size, tokens, loss):
    points = ladder(chinchilla, ratios=(20, 60))
    here = predict(points, 35e6, 700e6)
    scaled = [
        replace(p, parameters=p.parameters * size, tokens=p.tokens * tokens, loss=p.loss * loss, flops=p.compute)
        for p in points
    ]
    there = predict(scaled, 35e6 * size, 700e6 * tokens, flops=6 * 35e6 * 700e6)
    for bound in ("low", "value", "high"):
        assert getattr(there.loss, bound) == pytest.approx(loss * getattr(here.loss, bound), rel=1e-6)


def test_a_target_without_flops_is_counted_as_the_points_are():
    points = [replace(point, flops=9 * point.parameters * point.tokens) for point in ladder(chinchilla)]
    assert predict(points, 35e6, 700e6).flops == pytest.approx(9 * 35e6 * 700e6)


def test_the_interval_widens_with_the_distance():
    study = Study.of(ladder(chinchilla, ratios=(20, 60)))
    widths = [study.predict(size, 20 * size).loss for size in (30e6, 100e6, 1e9)]
    shares = [estimate.half_width / estimate.value for estimate in widths]
    assert shares == sorted(shares)
    assert shares[-1] > 1.5 * shares[0]


def test_a_higher_level_gives_a_wider_interval_about_the_same_value():
    points = ladder(chinchilla)
    narrow, wide = (predict(points, 35e6, 700e6, level=level).loss for level in (0.5, 0.95))
    assert wide.low < narrow.low < narrow.value == wide.value < narrow.high < wide.high


def test_weights_sum_to_one_and_every_law_says_what_it_was_made_of():
    found = predict(ladder(chinchilla, ratios=(20, 60)), 35e6, 700e6)
    assert sum(law.weight for law in found.laws) == pytest.approx(1)
    assert {law.name for law in found.laws} >= {"Chinchilla", "power law in compute"}
    assert all(law.equation and law.parameters and law.at_target.value > 0 for law in found.laws)
    assert set(found.components) == {"seed_noise", "parameter", "model", "law_spread"}


def test_size_and_tokens_are_held_out_together_where_the_table_allows_it():
    found = predict(grid(chinchilla), 200e6, 4e9)
    assert {"largest size", "size and tokens together"} <= {test.what for test in found.hold_out}
    assert all(test.decades > 0 and test.relative_error < 0.05 for test in found.hold_out)


def test_the_curve_runs_from_the_cheapest_pilot_to_the_target():
    found = predict(ladder(chinchilla), 35e6, 700e6)
    assert found.curve[0].parameters == pytest.approx(2e6)
    assert (found.curve[-1].parameters, found.curve[-1].tokens) == pytest.approx((35e6, 700e6))
    assert found.curve[-1].value == pytest.approx(found.loss.value)
    assert all(point.low < point.value < point.high for point in found.curve)
    assert all(left.value >= right.value for left, right in itertools.pairwise(found.curve))


def test_a_prediction_survives_being_written_and_read():
    found = predict(ladder(chinchilla), 35e6, 700e6)
    again = Prediction.from_json(found.to_json())
    assert again == found
    assert again.probability_below(found.loss.value) == found.probability_below(found.loss.value) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("points", "target", "words"),
    [
        (ladder(chinchilla, rungs=((2e6, 3), (5e6, 2))), (1e8, 2e9), "at least 3 runs"),
        (ladder(chinchilla, rungs=((2e6, 1), (2.1e6, 1), (2.2e6, 1))), (1e8, 2e9), "training FLOPs"),
        (ladder(chinchilla), (2e6, 4e7), "less than"),
        (ladder(chinchilla), (1e8, -1.0), "tokens"),
        ((), (1e8, 2e9), "no runs"),
        (ladder(lambda parameters, tokens: parameters**0.1), (1e8, 2e9), "does not fall"),
    ],
)
def test_what_cannot_be_predicted_is_refused_with_a_way_out(points, target, words):
    with pytest.raises(EvidenceError, match=words):
        predict(points, *target)


@pytest.mark.parametrize("bad", [float("nan"), 0.0, -1.0, float("inf")])
def test_a_point_that_is_no_number_is_refused(bad):
    with pytest.raises(EvidenceError, match="loss"):
        Point(1e6, 2e7, bad)


def test_a_rung_that_went_wrong_is_named():
    points = [
        replace(point, loss=point.loss * (1.2 if point.parameters == 12e6 else 1.0)) for point in ladder(chinchilla)
    ]
    assert any("larger run is worse" in caution for caution in predict(points, 35e6, 700e6).cautions)


def test_tables_that_rise_or_scatter_are_predicted_or_refused_but_never_break():
    for seed in range(30):
        draw = stream(seed, "scatter")
        count = int(draw.integers(3, 9))
        points = [Point(10 ** draw.uniform(6, 8), 10 ** draw.uniform(7, 9), draw.uniform(0.5, 2)) for _ in range(count)]
        with contextlib.suppress(EvidenceError):
            found = predict(points, 1e9, 2e10)
            assert found.loss.low < found.loss.value < found.loss.high


def test_a_target_of_other_tokens_per_parameter_or_far_away_is_cautioned():
    found = predict(ladder(chinchilla), 1e9, 200e9)
    assert any("tokens per parameter" in caution for caution in found.cautions)
    assert any("times the largest run" in caution for caution in found.cautions)


def test_five_hundred_runs_are_predicted_in_two_seconds():
    draw = stream(1, "many")
    points = []
    for index in range(500):
        size, tokens = 1e6 * 10 ** draw.uniform(0, 2), 2e7 * 10 ** draw.uniform(0, 2)
        points.append(Point(size, tokens, chinchilla(size, tokens) * math.exp(0.005 * draw.standard_normal())))
        points[-1] = replace(points[-1], run=str(index))
    begun = time.process_time()
    predict(points, 500e6, 10e9)
    assert time.process_time() - begun < 5  # two seconds on an idle core


def _coverage(truth, ratios, repeats):
    inside = 0
    for seed in range(repeats):
        draw = stream(seed, "study")
        noise, reach = draw.uniform(0.003, 0.008), draw.uniform(5, 10)
        size = 12e6 * math.sqrt(reach)
        study = Study.of(ladder(truth, seed=seed, noise=noise, ratios=ratios))
        spread, _ = study.spread(study.logs(size, 20 * size))
        low, high = spread.bounds(0.95)
        inside += low <= truth(size, 20 * size) * math.exp(noise * draw.standard_normal()) <= high
    return inside / repeats


@pytest.mark.slow
@pytest.mark.parametrize("ratios", [(20,), (20, 60)])
@pytest.mark.parametrize("truth", [chinchilla, kaplan, power])
def test_the_whole_interval_covers_planted_ladders_even_of_a_law_that_is_not_fitted(truth, ratios):
    assert _coverage(truth, ratios, 100) >= 0.88


def test_the_whole_interval_covers_in_a_short_simulation():
    assert _coverage(kaplan, (20,), 12) >= 10 / 12
