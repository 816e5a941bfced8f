import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pilotlight.stats.estimate import Estimate, exact

numbers = st.floats(-1e6, 1e6)


def estimate(value, low, high, **other):
    settings = {"level": 0.95, "unit": "x", "n": 3, "method": "t"} | other
    return Estimate(value=value, low=low, high=high, **settings)


@given(numbers, numbers, numbers)
def test_an_estimate_exists_exactly_when_its_interval_holds_its_value(value, low, high):
    if low <= value <= high:
        assert estimate(value, low, high).half_width >= 0
    else:
        with pytest.raises(ValidationError):
            estimate(value, low, high)


@given(st.tuples(numbers, numbers, numbers).map(sorted), st.floats(-10, 10))
def test_a_change_of_unit_keeps_the_order(bounds, factor):
    low, value, high = bounds
    found = estimate(value, low, high).scaled(factor, "y")
    assert found.low <= found.value <= found.high
    assert found.unit == "y"


@pytest.mark.parametrize("wrong", [{"n": 0}, {"level": 1.0}, {"level": 0.0}])
def test_an_estimate_of_nothing_is_refused(wrong):
    with pytest.raises(ValidationError):
        estimate(1.0, 0.0, 2.0, **wrong)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_are_refused(wrong):
    with pytest.raises(ValidationError):
        estimate(wrong, wrong, wrong)


@given(st.tuples(numbers, numbers, numbers).map(sorted))
def test_an_estimate_survives_its_json(bounds):
    low, value, high = bounds
    found = estimate(value, low, high, cautions=("a", "b"))
    assert Estimate.from_json(found.to_json()) == found


def test_a_counted_number_has_no_width():
    assert exact(3.0, "runs", "counted").half_width == 0.0
