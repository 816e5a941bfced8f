import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pilotlight.errors import EvidenceError
from pilotlight.stats.column import Column
from pilotlight.stats.paired import average, paired, unpaired
from pilotlight.stats.pairing import measure

values = st.lists(st.floats(-100, 100, width=32), min_size=3, max_size=8)


def column(values, first=0):
    return Column(tuple(values), tuple(str(first + index) for index in range(len(values))), "x")


NEW, OLD = [1.2, 0.9, 1.4, 1.1], [1.0, 0.8, 1.1, 1.2]


def test_the_paired_interval_is_that_of_scipy():
    found, expected = paired(column(NEW), column(OLD)), stats.ttest_rel(NEW, OLD).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.n == 4


def test_the_unpaired_interval_is_welchs_of_scipy():
    found = unpaired(column(NEW), column(OLD[:3]))
    expected = stats.ttest_ind(NEW, OLD[:3], equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.n == 3


def test_the_mean_has_students_interval():
    found = average(column(NEW), level=0.9)
    expected = stats.t.interval(0.9, 3, np.mean(NEW), stats.sem(NEW))
    assert (found.low, found.high) == pytest.approx(expected)


@given(values, st.floats(-50, 50))
def test_a_shift_of_both_arms_changes_no_difference(numbers, shift):
    old = [number * 0.5 + index for index, number in enumerate(numbers)]
    before = paired(column(numbers), column(old))
    after = paired(column([x + shift for x in numbers]), column([x + shift for x in old]))
    assert (after.low, after.high) == pytest.approx((before.low, before.high), abs=1e-6)


@given(values, st.randoms())
def test_the_order_of_the_runs_does_not_matter(numbers, random):
    whole = column(numbers)
    order = list(range(len(numbers)))
    random.shuffle(order)
    mixed = Column(tuple(whole.values[i] for i in order), tuple(whole.keys[i] for i in order), "x")
    other = column([number**2 / 100 for number in numbers])
    assert paired(whole, other) == paired(mixed, other)


def test_one_run_has_no_interval():
    with pytest.raises(EvidenceError, match="at least 2 runs"):
        paired(column([1.0]), column([2.0]))


def test_the_pairing_correlation_is_pearsons():
    found = measure(column(NEW), column(OLD))
    assert found.correlation == pytest.approx(stats.pearsonr(NEW, OLD).statistic)
    assert (found.used, found.n) == ("paired", 4)


def test_pairing_that_hurts_is_not_used():
    assert measure(column([1.0, 2.0, 3.0]), column([3.0, 2.0, 1.0])).used == "unpaired"


def test_the_paired_interval_covers_and_the_unpaired_one_is_longer_where_seeds_agree():
    generator = np.random.default_rng(0)
    hits = longer = 0
    for _ in range(1000):
        shared = generator.standard_normal(3)
        new, old = (0.9 * shared + 0.43 * generator.standard_normal(3) for _ in range(2))
        found = paired(column(new.tolist()), column(old.tolist()))
        hits += found.low <= 0.0 <= found.high
        longer += unpaired(column(new.tolist()), column(old.tolist())).half_width > found.half_width
    assert 0.93 < hits / 1000 < 0.97
    assert longer > 700
