import numpy as np
import pytest
from scipy import stats

from pilotlight.stats.student import UNKNOWN, Spread, bartlett, critical, pool, two_sided, welch


def test_quantiles_and_p_values_are_those_of_scipy():
    assert critical(0.95, 3.5) == pytest.approx(stats.t.ppf(0.975, 3.5))
    assert two_sided(-1.3, 0.5, 4) == pytest.approx(2 * stats.t.sf(2.6, 4))


def test_without_any_error_only_zero_is_zero():
    assert two_sided(0.0, 0.0, 3) == 1.0
    assert two_sided(1e-9, 0.0, 3) == 0.0


def test_bartlett_is_that_of_scipy():
    generator = np.random.default_rng(1)
    arms = [generator.standard_normal(size) * scale for size, scale in ((4, 1.0), (6, 2.0), (5, 3.0))]
    spreads = [Spread(float(np.var(arm, ddof=1)), len(arm) - 1) for arm in arms]
    assert bartlett(spreads) == pytest.approx(stats.bartlett(*arms).pvalue)


def test_there_is_nothing_to_test_with_one_spread():
    assert bartlett([Spread(1.0, 3), UNKNOWN]) == 1.0


def test_pooling_weights_with_degrees_of_freedom():
    assert pool([Spread(1.0, 1), Spread(4.0, 2), UNKNOWN]) == Spread(3.0, 3)
    assert pool([]) == UNKNOWN


def test_welch_without_spread_keeps_its_degrees():
    assert welch(Spread(0.0, 1), 2, Spread(0.0, 2), 3) == Spread(0.0, 3)
