import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotlight.tokens.waste import waste


def test_a_row_s_end_cuts_the_documents_that_lie_across_it():
    found = waste([6, 6, 4], 8)
    assert found.cut == pytest.approx(1 / 3)
    assert found.left_over == 0
    assert found.cut_by_best_fit == 0
    assert found.padding == pytest.approx(1 - 16 / 24)


def test_best_fit_fills_the_fullest_row_that_holds_a_document():
    assert waste([5, 3, 4, 4], 8).padding == 0


def test_a_document_longer_than_a_row_fills_rows_and_leaves_its_rest():
    found = waste([20], 8)
    assert (found.cut, found.cut_by_best_fit) == (0, 1)
    assert found.left_over == pytest.approx(4 / 20)
    assert found.padding == pytest.approx(4 / 24)


def test_no_documents_waste_nothing():
    assert waste([], 8).padding == waste([], 8).cut == 0


@given(st.lists(st.integers(1, 60), min_size=1, max_size=60), st.integers(2, 40))
def test_shares_are_shares_and_best_fit_is_within_its_bound(lengths, context):
    found = waste(lengths, context)
    for share in (found.cut, found.left_over, found.padding, found.cut_by_best_fit):
        assert 0 <= share < 1 or share == 1.0
    rows = sum(lengths) / (1 - found.padding) / context
    least = -(-sum(lengths) // context)
    assert rows <= 1.7 * least + 2 + len(lengths) * (found.cut_by_best_fit > 0)
