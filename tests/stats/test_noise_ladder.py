import math

import pytest

from pilotlight.stats.ladder import FILL, GROWTH, Growth, carried, doubt, filled, growth
from pilotlight.stats.student import UNKNOWN, Spread


def test_other_arms_add_no_more_than_they_know_and_stop_at_the_limit():
    assert filled(Spread(1.0, 1), [Spread(3.0, 2)], 0.0) == Spread((1.0 + 2.0 * 3.0) / 3.0, 3.0)
    assert filled(Spread(1.0, 1), [Spread(3.0, 40)], 0.0).degrees == pytest.approx(FILL)
    assert filled(Spread(1.0, 4), [Spread(9.0, 40)], 0.0) == Spread(1.0, 4)
    assert filled(UNKNOWN, [Spread(2.0, 1)], 0.0) == Spread(2.0, 1)
    assert filled(UNKNOWN, [UNKNOWN], 0.5) == UNKNOWN


def test_arms_that_repeat_each_other_add_nothing():
    assert filled(Spread(1.0, 2), [Spread(3.0, 2)] * 3, 1.0) == Spread(1.0, 2)


def test_noise_that_grows_is_carried_along_the_ladder():
    steep = [Spread(math.exp(1.5 * rung), 200.0) for rung in range(3)]
    found = growth(steep)
    assert found.slope == pytest.approx(1.5, rel=0.02)
    top = carried(dict(enumerate(steep)), 2, found)
    assert top.variance == pytest.approx(math.exp(3.0), rel=0.05)
    assert 200.0 < top.degrees < 600.0


def test_what_is_not_known_about_the_growth_makes_other_rungs_worth_less():
    cells = {0: Spread(1.0, 4), 1: Spread(1.0, 4)}
    sure, unsure = (carried(cells, 1, Growth(0.0, doubt)) for doubt in (0.0, 1.0))
    assert sure == Spread(1.0, 8.0)
    assert unsure.degrees == pytest.approx(4.0 + 1.0 / (0.25 + 0.5))


def test_one_rung_says_nothing_about_growth():
    assert growth([Spread(1.0, 8), UNKNOWN]) == Growth(0.0, GROWTH**2)
    assert doubt([0], [8.0]) == pytest.approx(GROWTH**2)
    assert doubt([0, 1], [8.0, 8.0]) < GROWTH**2
