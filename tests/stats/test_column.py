import math

import pytest

from pilotlight.errors import DataError, EvidenceError
from pilotlight.stats.column import Column, align


def test_columns_are_aligned_by_key_in_the_order_of_the_first():
    first, second = align(Column((1.0, 2.0, 3.0), ("c", "a", "b"), "x"), Column((20.0, 30.0), ("a", "c"), "x"))
    assert first == Column((1.0, 2.0), ("c", "a"), "x")
    assert second == Column((30.0, 20.0), ("c", "a"), "x")


def test_columns_without_a_shared_key_are_refused():
    with pytest.raises(EvidenceError, match="share no key"):
        align(Column((1.0,), ("a",), "x"), Column((1.0,), ("b",), "x"))


def test_an_empty_column_shares_nothing():
    with pytest.raises(EvidenceError, match="nothing"):
        align(Column((), (), "x"), Column((1.0,), ("b",), "x"))


def test_different_units_are_refused():
    with pytest.raises(EvidenceError, match="nats"):
        align(Column((1.0,), ("a",), "bits"), Column((1.0,), ("a",), "nats"))


@pytest.mark.parametrize(
    ("values", "keys", "message"),
    [((1.0,), ("a", "b"), "2 keys"), ((1.0, 2.0), ("a", "a"), "twice"), ((math.nan,), ("a",), "finite")],
)
def test_a_column_that_is_not_one_finite_value_per_key_is_refused(values, keys, message):
    with pytest.raises(DataError, match=message):
        Column(values, keys, "x")
