import math

import numpy as np
import pytest
from campaign_examples import above

from pilotlight.stats.posterior import Believed, Measured, believed

SCALE = 0.01


def test_one_large_effect_is_hardly_drawn_in_and_small_ones_are():
    large, small, none = believed(
        [Measured(-0.2, 0.002, 4.0), Measured(-0.002, 0.002, 4.0), Measured(0.0, 0.002, 4.0)], SCALE, 0.95
    )
    assert large.value == pytest.approx(-0.2, rel=0.02)
    assert -0.002 < small.value < 0.0
    assert none.value == pytest.approx(0.0, abs=1e-9)
    assert large.low < large.value < large.high < 0.0


def test_a_campaign_of_nothing_draws_its_best_in_more_than_a_campaign_of_effects():
    best = Measured(-0.006, 0.003, 6.0)
    quiet = believed([best, *[Measured(0.001, 0.003, 6.0)] * 5], SCALE, 0.95)[0]
    loud = believed([best, *[Measured(0.05, 0.003, 6.0)] * 5], SCALE, 0.95)[0]
    assert abs(quiet.value) < 0.7 * abs(loud.value)


def test_an_effect_without_error_stays():
    assert believed([Measured(0.01, 0.0, 0.0)], SCALE, 0.95) == [Believed(0.01, 0.01, 0.01)]
    assert believed([], SCALE, 0.95) == []


def test_signs_mirror():
    up, down = (believed([Measured(sign * 0.004, 0.003, 3.0)], SCALE, 0.95)[0] for sign in (1.0, -1.0))
    assert (up.low, up.value, up.high) == pytest.approx((-down.high, -down.value, -down.low), abs=1e-9)


def test_shrunken_intervals_cover_and_the_best_is_overstated_less():
    generator = np.random.default_rng(5)
    hits, raw, drawn, studies, error = 0, 0.0, 0.0, 250, 0.003
    for _ in range(studies):
        truths = 0.004 * generator.standard_normal(4)
        errors = error * np.sqrt(generator.chisquare(4.0, 4) / 4.0)
        values = truths + error * generator.standard_normal(4)
        found = believed([Measured(*one, 4.0) for one in zip(values, errors, strict=True)], SCALE, 0.95)
        hits += sum(one.low <= truth <= one.high for one, truth in zip(found, truths, strict=True))
        best = int(np.argmin(values))
        raw += (truths[best] - values[best]) / studies
        drawn += (truths[best] - found[best].value) / studies
    assert hits / (4 * studies) >= above(0.94, 4 * studies)
    assert abs(drawn) < 0.5 * raw
    assert math.isfinite(drawn)
