import math

import numpy as np
import pytest
from campaign_examples import above, effects

from pilotlight.scaling.fall import around, fall
from pilotlight.stats.multiplier import Fall, Gain, multiplier


def gain(value, error=0.001):
    return Gain(value, error, 8.0, 3)


def test_a_gain_is_as_many_e_folds_as_the_law_needs_for_it():
    found = multiplier(gain(-0.05 * math.log(1.2)), Fall(0.05, 0.002), 0.95)
    assert found.value == pytest.approx(1.2)
    assert found.low < 1.2 < found.high
    assert multiplier(gain(0.0), Fall(0.05, 0.002), 0.95).value == 1.0
    assert multiplier(gain(0.01), Fall(0.05, 0.002), 0.95).high < 1.0


def test_the_interval_without_error_of_the_fall_is_that_of_the_effect():
    found = multiplier(gain(-0.01), Fall(0.05, 0.0), 0.95)
    reach = 2.306004 * 0.001 / 0.05
    assert (found.low, found.high) == pytest.approx((math.exp(0.2 - reach), math.exp(0.2 + reach)), rel=1e-5)


def test_a_dearer_variant_saves_less():
    cheap, dear = (multiplier(gain(-0.01), Fall(0.05, 0.002), 0.95, price=price) for price in (1.0, 1.1))
    assert dear.value == pytest.approx(cheap.value / 1.1)


def test_no_multiplier_without_a_law_that_surely_falls():
    assert multiplier(gain(-0.01), Fall(0.05, 0.04), 0.95) is None
    assert multiplier(gain(-0.01), Fall(-0.05, 0.001), 0.95) is None


class Line:
    """A straight law, whose variance grows with the square of the distance from the middle of its runs."""

    def __init__(self, slope, error):
        self.slope, self.error = slope, error

    def at(self, logs):
        compute = logs[:, 2]
        return 1.0 - self.slope * compute, np.sqrt(1e-6 + (self.error * (compute - 30.0)) ** 2)


def places():
    return np.array([[*np.log(place), np.log(6.0 * place[0] * place[1])] for place in around(1e7, 2e8)])


def test_the_fall_is_the_slope_with_its_error():
    found = fall([Line(0.05, 0.004)], places())
    assert found.value == pytest.approx(0.05)
    assert found.error == pytest.approx(math.hypot(0.004, 0.05 * 0.05))
    assert fall([], places()) is None


def test_laws_that_disagree_make_the_fall_uncertain():
    assert fall([Line(0.03, 0.0), Line(0.07, 0.0)], places()).error > 0.02


def test_a_planted_multiplier_is_recovered_within_its_interval():
    found = list(effects.planted(1.2, 3, 25))
    assert sum(one.low <= 1.2 <= one.high for one in found) / 25 >= above(0.9, 25)
    assert np.median([one.value for one in found]) == pytest.approx(1.2, abs=0.05)
    assert np.median([one.high / one.low for one in found]) < 1.6
