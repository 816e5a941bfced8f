from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pilotlight.scaling.points import ASSUMED_NOISE, Point, gather


def test_repeats_of_a_cell_are_averaged_and_their_spread_is_the_noise():
    cells = gather([Point(1e6, 2e7, loss, seed=str(loss)) for loss in (0.98, 1.0, 1.02)])
    assert len(cells) == 1
    assert cells.repeats.tolist() == [3]
    assert cells.loss[0] == pytest.approx((0.98 * 1.02) ** (1 / 3))
    squares = sum((math.log(loss) - math.log(cells.loss[0])) ** 2 for loss in (0.98, 1.0, 1.02))
    assert cells.noise == pytest.approx(math.sqrt((squares + ASSUMED_NOISE**2) / 3))
    assert cells.noise_df == 2


def test_the_best_recipe_stands_for_its_cell_and_the_mix_is_noted():
    cells = gather([Point(1e6, 2e7, 1.0, recipe="lr 1"), Point(1e6, 2e7, 1.1, recipe="lr 2")])
    assert cells.loss[0] == pytest.approx(1.0)
    assert cells.mixed
    assert cells.noise_df == 0


def test_only_the_last_point_of_a_run_counts():
    cells = gather([Point(1e6, tokens, 1.0 / tokens, run="a") for tokens in (1e7, 3e7, 2e7)])
    assert len(cells) == 1
    assert math.exp(cells.logs[0, 1]) == pytest.approx(3e7)
    assert cells.unfinished == 2


def test_a_point_without_weight_is_left_out():
    assert len(gather([Point(1e6, 2e7, 1.0), Point(2e6, 4e7, 0.9, weight=0.0)])) == 1


def test_flops_default_to_six_times_parameters_times_tokens():
    assert Point(1e6, 2e7, 1.0).compute == 6 * 1e6 * 2e7
    assert Point(1e6, 2e7, 1.0, flops=5e13).compute == 5e13


@settings(max_examples=50, deadline=None)
@given(losses=st.lists(st.floats(0.5, 5), min_size=1, max_size=8), data=st.data())
def test_cells_do_not_depend_on_the_order_of_points(losses, data):
    points = [Point(1e6 * (1 + index % 3), 2e7, loss) for index, loss in enumerate(losses)]
    shuffled = data.draw(st.permutations(points))
    left, right = gather(points), gather(shuffled)
    assert left.loss.tolist() == pytest.approx(right.loss.tolist(), rel=1e-12)
    assert left.noise == pytest.approx(right.noise, rel=1e-9)
