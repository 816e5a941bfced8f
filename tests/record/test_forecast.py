from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotlight.record.forecast import Predictive

SPREAD = Predictive(centre=math.log(1.05), scale=0.02, df=4.0)


def test_half_of_the_distribution_lies_below_the_median():
    assert SPREAD.below(1.05) == pytest.approx(0.5)


def test_bounds_hold_as_much_as_they_say():
    low, high = SPREAD.bounds(0.9)
    assert SPREAD.below(low) == pytest.approx(0.05)
    assert SPREAD.below(high) == pytest.approx(0.95)


def test_with_many_degrees_of_freedom_the_bounds_are_those_of_a_normal():
    low, high = Predictive(centre=0.0, scale=0.1, df=1e7).bounds(0.95)
    assert math.log(high) == pytest.approx(0.196, rel=1e-3)
    assert math.log(low) == pytest.approx(-0.196, rel=1e-3)


@given(st.floats(0.1, 10), st.floats(0.1, 10))
def test_the_chance_grows_with_the_target(one, other):
    low, high = sorted((one, other))
    assert SPREAD.below(low) <= SPREAD.below(high)


def test_no_loss_lies_below_zero():
    assert SPREAD.below(0.0) == 0.0
    assert SPREAD.below(-1.0) == 0.0


def test_the_estimate_and_the_distribution_agree():
    found = SPREAD.estimate(level=0.95, unit="bits/byte", n=7, method="test", cautions=("few",))
    assert (found.low, found.high) == SPREAD.bounds(0.95)
    assert found.n == 7
    assert found.cautions == ("few",)
