import math

import numpy as np
import pytest
from campaign_examples import above, effects

from pilotlight.randomness import stream
from pilotlight.scaling.fall import around, fall
from pilotlight.scaling.predict import CALIBRATION
from pilotlight.stats.multiplier import DEGREES, Fall, Gain, Price, Step, measured, multiplier, trend
from pilotlight.stats.student import critical


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
    cheap, dear = (multiplier(gain(-0.01), Fall(0.05, 0.002), 0.95, Price(math.log(price))) for price in (1.0, 1.1))
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
    calibrated = CALIBRATION.widen * CALIBRATION.parameter * 0.004
    assert found.error == pytest.approx(math.hypot(calibrated, 0.05 * 0.05))
    assert fall([], places()) is None


def test_laws_that_disagree_make_the_fall_uncertain():
    laws = [Line(0.03, 0.0), Line(0.07, 0.0)]
    found, trusting = fall(laws, places()), fall(laws, places(), np.array([0.9, 0.1]))
    assert found.error > 2 * fall(laws[:1], places()).error > 0.0
    assert (found.value, trusting.value) == pytest.approx((0.05, 0.034))
    assert trusting.error < found.error


def test_a_planted_multiplier_is_recovered_within_its_interval():
    found = list(effects.planted(1.2, 3, 25))
    assert sum(one.low <= 1.2 <= one.high for one in found) / 25 >= above(0.9, 25)
    assert np.median([one.value for one in found]) == pytest.approx(1.2, abs=0.05)
    assert np.median([one.high / one.low for one in found]) < 1.6


def test_the_degrees_are_those_of_all_errors_together():
    """Where the law's error is nearly all there is the interval is the law's own, and where there is none the effect's."""
    law = multiplier(gain(-0.01, 1e-9), Fall(0.05, 0.004), 0.95)
    reach = 2.776445 * 0.004 / 0.05  # Student's t at 4 degrees
    assert (law.low, law.high) == pytest.approx((math.exp(0.2 / (1 + reach)), math.exp(0.2 / (1 - reach))), rel=1e-4)
    assert Fall(0.05, 0.004).degrees == DEGREES == CALIBRATION.df, "predictions and falls come from the same laws"


def test_a_price_is_the_geometric_mean_of_its_pairs_with_students_error():
    logs = [math.log(ratio) for ratio in (1.1, 1.2, 1.3)]
    found = measured(logs, "seconds", "made up").estimate(0.95)
    error = np.std(logs, ddof=1) / math.sqrt(3)
    half = 4.302653 * error
    assert found.value == pytest.approx(math.exp(np.mean(logs)))
    assert (found.low, found.high) == pytest.approx((found.value * math.exp(-half), found.value * math.exp(half)))
    assert (found.unit, found.n, found.cautions) == ("x seconds", 3, ())


@pytest.mark.parametrize(("logs", "single"), [([0.2], ""), ([0.1, 0.3], "one program")])
def test_a_price_without_an_interval_of_its_own_says_so(logs, single):
    price = measured(logs, "seconds", "made up", single=single)
    for found in (price.estimate(0.95), multiplier(gain(-0.01), Fall(0.05, 0.002), 0.95, price)):
        assert any("no interval of its own" in caution for caution in found.cautions)
    assert price.estimate(0.95).low == price.estimate(0.95).high


def test_a_known_factor_adds_its_doubt_as_the_normal_distribution_has_it():
    price = measured([0.1, 0.15, 0.2, 0.25, 0.3], "seconds", "made up")
    error = math.sqrt(0.025 / 4 / 5)
    found = price.times(0.5, error).estimate(0.95)
    assert found.value == pytest.approx(math.exp(0.7))
    degrees = 4 * 4.0  # two equal variances, one of them known: four times those of the other
    assert math.log(found.high) - 0.7 == pytest.approx(error * math.sqrt(2) * critical(0.95, degrees), rel=1e-4)


def test_more_doubt_never_shortens_an_interval():
    price = measured([0.1, 0.2], "seconds", "made up")
    alone, more = price.estimate(0.95), price.times(0.0, 0.05).estimate(0.95)
    assert more.high >= alone.high * (1 - 1e-12), "two equal variances have four degrees together, one of them has one"
    sure = Gain(-0.01, 0.001, 1e4, 3), Fall(0.05, 0.001)
    time = multiplier(*sure, 0.95, price)
    assert time.high / time.low >= alone.high / alone.low * (1 - 1e-12)


def test_doubt_about_the_law_does_not_make_an_effect_sure():
    """The interval of the effect holds zero, so that of the multiplier holds 1, however many degrees the law's error adds."""
    few = Gain(-0.03, 0.01, 2.0, 2)
    assert few.value + critical(0.95, 2.0) * few.error > 0.0
    for doubt in (0.0, 0.01, 0.03):
        assert multiplier(few, Fall(0.1, doubt), 0.95).low < 1.0


GAIN, FALL, PRICE = -0.02, 0.05, 0.15


def timed(count: int, *, is_believed: bool = True, pairs: int = 3):
    """Return simulated multipliers in time, each error known as well as the runs that tell it: the truth is exp(0.25)."""
    draws = stream(0, "time", str(is_believed), pairs)
    for _ in range(count):
        known = [error * math.sqrt(draws.chisquare(df) / df) for error, df in ((0.002, 8), (0.004, 4))]
        effect = Gain(draws.normal(GAIN, 0.002), known[0], 8.0, 3)
        law = Fall(draws.normal(FALL, 0.004), known[1], 4.0)
        price = measured(list(draws.normal(PRICE, 0.08, pairs)), "seconds", "made up")
        price = price if is_believed else Price(price.value)
        yield multiplier(effect, law, 0.95, price)


@pytest.mark.parametrize("pairs", [2, 3, 5])
def test_the_multiplier_in_time_is_covered_as_often_as_it_says(pairs):
    found = list(timed(800, pairs=pairs))
    truth = math.exp(-GAIN / FALL - PRICE)
    covered = sum(one is not None and one.low <= truth <= one.high for one in found) / 800
    assert above(0.95, 800) <= covered <= 0.99


def test_without_the_error_of_the_price_the_interval_would_be_too_short():
    truth = math.exp(-GAIN / FALL - PRICE)
    found = list(timed(800, is_believed=False))
    assert sum(one is not None and one.low <= truth <= one.high for one in found) / 800 < 0.92


PLACES = (0.0, 3.0, 6.0)


def ladder(slope: float, draws, *, alike: bool):
    """Return three sizes whose log multiplier changes by ``slope`` per e-fold; laws are wrong alike, or each by itself."""
    shared = draws.normal(0.0, 0.1)
    for place in PLACES:
        wrong = shared if alike else draws.normal(0.0, 0.1)
        price = measured(list(draws.normal(PRICE, 0.05, 4)), "seconds", "made up")
        effect = Gain(draws.normal(-FALL * (0.2 + slope * place + PRICE), 0.002), 0.002, 40.0, 3)
        yield Step(place, effect, Fall(FALL * (1.0 + wrong), 0.1 * FALL), price)


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize("slope", [0.0, 0.05])
def test_the_trend_of_the_multiplier_is_covered(slope, alike):
    draws = stream(0, "trend of multipliers", str(slope), int(alike))
    found = [trend(list(ladder(slope, draws, alike=alike)), 0.95) for _ in range(400)]
    truth = 10.0**slope
    assert sum(one.low <= truth <= one.high for one in found) / 400 >= above(0.95, 400)
    assert np.median([one.value for one in found]) == pytest.approx(truth, rel=0.03)
    assert found[0].unit == "x per tenfold of FLOPs"


def test_a_sure_trend_is_told_and_one_size_has_none():
    steps = [Step(place, Gain(-0.01 - 0.002 * place, 1e-4, 20.0, 3), Fall(0.05, 0.001), Price()) for place in PLACES]
    assert trend(steps, 0.95).low > 1.0
    assert trend(steps[:1], 0.95) is None
    assert trend([steps[0], steps[0]], 0.95) is None
