import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pilotlight.stats.multiple import benjamini_hochberg, coverage_level

p_values = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(p_values)
def test_adjusted_p_values_are_those_of_scipy(values):
    assert benjamini_hochberg(values) == pytest.approx(list(stats.false_discovery_control(values)))


def test_nothing_adjusts_to_nothing():
    assert benjamini_hochberg([]) == []


@given(p_values, st.sampled_from([0.9, 0.95, 0.99]))
def test_an_interval_leaves_out_zero_exactly_when_its_variant_is_selected(values, level):
    adjusted = benjamini_hochberg(values)
    selected = sum(value <= 1 - level for value in adjusted)
    for value, corrected in zip(values, adjusted, strict=True):
        is_selected = corrected <= 1 - level
        leaves_out_zero = value <= (1 - coverage_level(level, selected, len(values), is_selected=is_selected)) + 1e-12
        assert leaves_out_zero or not is_selected
        assert is_selected or not value < (1 - coverage_level(level, selected, len(values), is_selected=False)) - 1e-12


def test_one_variant_keeps_its_level():
    assert coverage_level(0.95, 0, 1, is_selected=False) == pytest.approx(0.95)
    assert coverage_level(0.95, 1, 1, is_selected=True) == pytest.approx(0.95)
