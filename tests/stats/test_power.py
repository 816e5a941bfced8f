import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pilotlight.errors import EvidenceError
from pilotlight.stats.pairing import Pairing
from pilotlight.stats.power import MOST, detectable, plan, power, seeds_needed
from pilotlight.stats.rule import Rule

RULE = Rule()
INDEPENDENT = Pairing(correlation=0.0, used="unpaired", n=0)


def paired(correlation):
    return Pairing(correlation=correlation, used="paired", n=10)


@pytest.mark.parametrize("degrees", [2, 4, 9, 30])
@pytest.mark.parametrize("ratio", [0.0, 1.0, 3.0, 6.0])
def test_power_is_that_of_the_noncentral_t(degrees, ratio):
    bound = stats.t.ppf(0.975, degrees)
    expected = stats.nct.sf(bound, degrees, ratio) + stats.nct.cdf(-bound, degrees, ratio)
    assert power(ratio, 1.0, degrees, 0.95) == pytest.approx(expected, abs=2e-4)


def test_power_with_one_degree_of_freedom_is_that_of_simulation():
    generator = np.random.default_rng(0)
    ratios = (generator.standard_normal(200_000) + 15.0) / np.abs(generator.standard_normal(200_000))
    simulated = (np.abs(ratios) > stats.t.ppf(0.975, 1)).mean()
    assert power(15.0, 1.0, 1.0, 0.95) == pytest.approx(simulated, abs=0.01)


@settings(deadline=None)
@given(st.floats(0.5, 60), st.floats(0.55, 0.99))
def test_the_detectable_effect_is_seen_with_the_wanted_power(degrees, wanted):
    effect = detectable(0.01, degrees, 0.95, wanted)
    assert power(effect, 0.01, degrees, 0.95) == pytest.approx(wanted, abs=1e-3)


def test_an_effect_without_noise_is_always_seen():
    assert power(0.1, 0.0, 3, 0.95) == 1.0
    assert power(0.0, 0.0, 3, 0.95) == pytest.approx(0.05)


def test_seeds_fall_with_correlation_and_rise_with_noise_and_variants():
    by_correlation = [seeds_needed(0.01, 0.01, RULE, paired(c)) for c in (0.0, 0.5, 0.9)]
    assert by_correlation == sorted(by_correlation, reverse=True)
    assert seeds_needed(0.02, 0.01, RULE, INDEPENDENT) > seeds_needed(0.01, 0.01, RULE, INDEPENDENT)
    assert seeds_needed(0.01, 0.01, RULE, paired(0.5), variants=20) > seeds_needed(0.01, 0.01, RULE, paired(0.5))


def test_the_textbook_number_of_seeds_is_found():
    # Two groups, effect of one standard deviation, 80 % power at 5 %: 17 each (Cohen 1988, table 2.4.1).
    noise = float(np.log1p(0.01))
    assert seeds_needed(noise, 0.01, RULE, INDEPENDENT) in (16, 17)


def test_noise_beyond_reach_is_said():
    found = plan(1.0, RULE, INDEPENDENT)
    assert found.needed == MOST
    assert "1000 seeds or more" in found.sentence
    assert found.seeds == RULE.most_seeds


def test_the_plan_is_a_sentence():
    found = plan(0.003, RULE, paired(0.8), scales=2, seconds_per_seed=90)
    assert found.sentence == "To see 0.50 % with 80 % power you need 3 seeds, 4 min 30 s."
    assert found.power >= 0.8
    assert found.detectable <= RULE.worth


def test_unknown_noise_is_refused():
    with pytest.raises(EvidenceError, match="two seeds"):
        seeds_needed(0.0, 0.01, RULE, INDEPENDENT)
