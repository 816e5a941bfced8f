import math

import numpy as np
import pytest
from campaign_examples import CORRELATIONS, Campaign, above
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from pilotlight.errors import EvidenceError
from pilotlight.stats.comparison import Comparisons, Observation, compare, noise_floor
from pilotlight.stats.rule import Rule

RULE = Rule()
LADDER = {"2M": 2e6, "6M": 6e6, "18M": 18e6}


def run(variant, value, seed=0, scale="2M", repeat=""):
    return Observation(variant=variant, scale=scale, size=LADDER[scale], seed=seed, value=value, repeat=repeat)


def campaign(correlations=(0.8, 0.8), seeds=(3, 3, 1), seed=0, **settings):
    return Campaign(seeds, correlations, **settings).observations(np.random.default_rng(seed))


def compared(observations, rule=RULE):
    return compare(observations, "baseline", rule)


def logs(observations, variant):
    """Return the logarithms of an arm's values in the order of its seeds."""
    found = sorted((item for item in observations if item.variant == variant), key=lambda item: item.seed)
    return np.log([item.value for item in found])


def slow(*settings):
    return pytest.param(*settings, marks=pytest.mark.slow)


@pytest.mark.parametrize("seeds", [(2,), slow((3,)), slow((4,)), slow((5,)), slow((2, 2, 1)), (3, 3, 1)])
@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_one_variants_interval_covers_with_the_choice_of_pairing_inside(seeds, correlation):
    (share,) = Campaign(seeds, (correlation,)).covered(1000, seed=1)
    assert above(0.93, 1000) <= share


@pytest.mark.slow
@pytest.mark.parametrize("seeds", [(2,), (3,), (4,), (5,), (2, 2, 1), (3, 3, 1)])
@pytest.mark.parametrize("correlation", CORRELATIONS)
def test_the_intervals_of_several_variants_cover(seeds, correlation):
    shares = Campaign(seeds, (correlation,) * 4).covered(2000, seed=1)
    assert min(shares) >= above(0.93, 2000)


def test_intervals_cover_where_the_effect_changes_with_size():
    (share,) = Campaign((3, 3, 3), (0.5,), trend=0.01).covered(1000)
    assert share >= above(0.94, 1000)


def test_intervals_cover_on_average_where_variants_pair_differently():
    assert np.mean(Campaign((3, 3, 1), (0.9, 0.5, -0.4)).covered(1000)) >= above(0.94, 1000)


@pytest.mark.slow
def test_selected_intervals_keep_their_false_coverage_rate():
    effects = (0.01, -0.01, 0.0, 0.0, 0.0, 0.0)
    assert Campaign((3, 3, 1), (0.5,) * 6, effects=effects).false_coverage(2000) <= 1 - above(0.95, 2000)


def test_a_single_pair_of_arms_whose_seeds_agree_gets_students_paired_interval():
    observations = campaign((0.9,), (4,))
    (found,) = compared(observations).comparisons
    expected = stats.ttest_rel(logs(observations, "v0"), logs(observations, "baseline")).confidence_interval(0.95)
    assert found.pairing.used == "paired"
    assert (found.effect.low, found.effect.high) == pytest.approx((math.expm1(expected.low), math.expm1(expected.high)))
    assert found.effect.n == found.seeds == 4


def test_seeds_that_arms_do_not_share_are_compared_unpaired():
    observations = [run("baseline", 1.5 + 0.01 * seed, seed) for seed in range(4)]
    observations += [run("v0", 1.4 + 0.02 * seed, seed + 10) for seed in range(4)]
    (found,) = compared(observations).comparisons
    expected = logs(observations, "v0").mean() - logs(observations, "baseline").mean()
    assert (found.pairing.used, found.pairing.n) == ("unpaired", 0)
    assert found.effect.value == pytest.approx(math.expm1(expected))
    assert found.effect.low < found.effect.value < found.effect.high


def test_seeds_that_push_the_arms_apart_widen_the_interval():
    values = [1.50, 1.51, 1.53]

    def arms(seeds):
        return [run("baseline", value, seed) for seed, value in enumerate(values)] + [
            run("v0", value, seed) for seed, value in zip(seeds, values, strict=True)
        ]  # fmt: skip

    (hurt,) = compared(arms([2, 1, 0])).comparisons
    (apart,) = compared(arms([10, 11, 12])).comparisons
    assert (hurt.pairing.used, apart.pairing.used) == ("paired", "unpaired")
    assert hurt.pairing.correlation < 0.0
    assert hurt.effect.half_width > apart.effect.half_width


@settings(deadline=None, max_examples=25)
@given(st.floats(0.01, 100), st.integers(0, 1000))
def test_the_unit_of_the_metric_does_not_matter(factor, seed):
    before = campaign(seed=seed)
    after = [item.model_copy(update={"value": item.value * factor}) for item in before]
    for left, right in zip(compared(before).comparisons, compared(after).comparisons, strict=True):
        assert (right.effect.low, right.effect.high) == pytest.approx((left.effect.low, left.effect.high), abs=1e-9)
        assert right.p_value == pytest.approx(left.p_value)


@settings(deadline=None, max_examples=25)
@given(st.randoms(), st.integers(0, 1000))
def test_the_order_in_which_runs_ended_does_not_matter(random, seed):
    observations = [*campaign(seed=seed), run("baseline", 1.5, repeat="batches")]
    mixed = list(observations)
    random.shuffle(mixed)
    left, right = compared(observations), compared(mixed)
    assert {item.variant: item for item in left.comparisons} == {item.variant: item for item in right.comparisons}
    assert left.noise == right.noise


def test_the_names_of_the_seeds_do_not_matter():
    observations = campaign()
    renamed = [item.model_copy(update={"seed": 1000 - 7 * item.seed}) for item in observations]
    assert compared(observations) == compared(renamed)


def test_the_effect_is_that_of_the_largest_replicated_scale():
    found = compared(campaign(effects=(0.02, 0.0))).comparisons[0]
    assert found.scale == "6M"
    assert list(found.by_scale) == ["2M", "6M", "18M"]
    assert any("one run per arm" in caution for caution in found.by_scale["18M"].cautions)
    assert found.by_scale["18M"].half_width > found.by_scale["6M"].half_width


def test_more_variants_make_an_interval_that_was_not_selected_longer():
    few, many = compared(campaign((0.5,))), compared(campaign((0.5,) * 8))
    assert many.comparisons[0].effect.level > few.comparisons[0].effect.level == pytest.approx(0.95)


def test_an_interval_leaves_out_zero_exactly_when_the_adjusted_p_value_is_small():
    for seed in range(30):
        for found in compared(campaign((0.5,) * 5, seed=seed, effects=(0.02, 0.01, 0.005, 0.0, -0.01))).comparisons:
            assert (found.p_adjusted <= 0.05) == (not found.effect.low <= 0.0 <= found.effect.high)


def test_an_effect_at_one_size_says_so():
    (found,) = compared(campaign((0.5,), (3,))).comparisons
    assert "measured at one size only: no adoption from one size" in found.cautions


def test_an_effect_that_changes_with_size_says_so():
    found = compared(campaign((0.9, 0.9), (4, 4, 4), trend=0.03)).comparisons[0]
    assert any("changes with size" in caution for caution in found.cautions)


def test_a_variant_that_changes_nothing_is_seen():
    observations = campaign((0.5,))
    observations += [item.model_copy(update={"variant": "same"}) for item in observations if item.variant == "baseline"]
    found = compared(observations).comparisons[1]
    assert (found.effect.value, found.p_value) == (0.0, 1.0)
    assert any("change anything" in caution for caution in found.cautions)


def test_arms_that_differ_in_spread_say_so():
    found = compared(campaign((0.0, 0.0), (5, 5), spreads=(1.0, 12.0)))
    assert any("noise differs between arms" in caution and "v1" in caution for caution in found.cautions)


def test_equal_arms_are_seldom_called_uneven():
    flagged = sum(bool(compared(campaign((0.6,) * 3, (3, 3, 1), seed=seed)).cautions) for seed in range(300))
    assert flagged < 45


def test_the_noise_floor_covers_the_true_noise():
    hits = 0
    for seed in range(1000):
        sd = compared(campaign((0.88, 0.88), (3, 3, 1), seed=seed)).noise.sd
        hits += sd.low <= 0.005 <= sd.high
    assert hits / 1000 >= above(0.93, 1000)


def test_a_a_repeats_are_listed_and_tested_but_enter_nothing():
    observations = campaign()
    partner = next(item for item in observations if item.variant == "baseline")
    near = partner.model_copy(update={"value": partner.value * 1.001, "repeat": "batches"})
    far = partner.model_copy(update={"value": partner.value * 1.2, "repeat": "weights"})
    plain, found = compared(observations), compared([*observations, near, far])
    assert found.noise.a_a == pytest.approx((0.001, 0.2))
    assert (found.noise.pairs, found.noise.false_alarms) == (2, 1)
    assert found.comparisons == plain.comparisons


def test_samples_of_the_text_have_a_spread_of_their_own():
    observations = campaign()
    partner = next(item for item in observations if item.variant == "baseline")
    gaps = (0.03, -0.04)
    drawn = [
        partner.model_copy(update={"value": partner.value * math.exp(gap), "repeat": f"sample{number or ''}"})
        for number, gap in enumerate(gaps)
    ]
    plain, found = compared(observations), compared([*observations, *drawn])
    assert plain.noise.text is None
    assert found.noise.text.value == pytest.approx(math.sqrt((0.03**2 + 0.04**2) / 2))
    assert found.noise.text.low < found.noise.text.value < found.noise.text.high
    assert (found.noise.a_a, found.comparisons) == ((), plain.comparisons)


def test_false_alarms_are_rare_where_a_a_runs_share_nothing():
    alarms = 0
    for seed in range(500):
        generator = np.random.default_rng(seed)
        observations = campaign(seed=seed)
        repeat = run("baseline", 1.5 * math.exp(0.005 * generator.standard_normal(7)[-1]), repeat="everything")
        alarms += compared([*observations, repeat]).noise.false_alarms
    assert alarms / 500 <= 0.08


def test_a_comparison_survives_its_json():
    found = compared(campaign())
    assert Comparisons.from_json(found.to_json()) == found


REFUSED = {
    "nothing is called 'baseline'": ([run("base", 1.0), run("a", 1.0)], "Did you mean 'base'"),
    "no runs": ([], "no runs at all"),
    "no variant": ([run("baseline", 1.0), run("baseline", 1.1, 1)], "nothing to compare"),
    "no second seed": ([run("baseline", 1.0), run("a", 1.1)], "at least 2 seeds"),
    "no shared scale": ([run("baseline", 1.0), run("baseline", 1.1, 1), run("a", 1.0, scale="6M")], "same scale"),
    "a run twice": ([run("baseline", 1.0), run("baseline", 1.1)], "keep one"),
    "a repeat of a variant": ([run("baseline", 1.0), run("a", 1.0, repeat="batches")], "only the baseline"),
    "no noise at all": ([run(v, 1.0, seed) for v in ("baseline", "a") for seed in (0, 1)], "seed is used"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_evidence_that_cannot_be_compared_is_refused(name):
    observations, message = REFUSED[name]
    with pytest.raises(EvidenceError, match=message):
        compared(observations)


def test_one_scale_has_one_size():
    other = run("a", 1.0).model_copy(update={"size": 3e6})
    with pytest.raises(EvidenceError, match="give it one"):
        compared([run("baseline", 1.0), run("baseline", 1.1, 1), other])


@pytest.mark.parametrize("value", [0.0, -1.0, math.inf, math.nan])
def test_a_value_without_a_logarithm_is_refused(value):
    with pytest.raises(ValueError, match="value"):
        run("baseline", value)


def test_an_interval_without_end_is_still_a_number():
    observations = [run(name, 10.0 ** (9 * seed), seed) for name in ("baseline", "a") for seed in (0, 1)]
    observations[-1] = run("a", 1e-9, 1)
    (found,) = compared(observations).comparisons
    assert math.isfinite(found.effect.high)


def test_the_trend_over_sizes_is_a_slope_and_a_p_value():
    (steady,) = compared(campaign((0.9,), (5, 5, 5), noise=0.001)).comparisons
    (shrinking,) = compared(campaign((0.9,), (5, 5, 5), noise=0.001, effects=(-0.01,), trend=-0.02)).comparisons
    assert steady.p_trend > 0.05
    assert not steady.is_fading
    assert shrinking.p_trend < 0.001
    assert shrinking.trend == pytest.approx(0.02 / math.log(3), rel=0.1)
    assert shrinking.is_fading
    (one,) = compared(campaign((0.9,), (5,))).comparisons
    assert (one.trend, one.p_trend, one.is_fading) == (0.0, 1.0, False)


def test_the_baseline_alone_has_a_noise_floor():
    observations = [run("baseline", 1.5 * math.exp(0.01 * (seed % 2)), seed) for seed in range(6)]
    observations.append(run("baseline", 1.5 * math.exp(0.3), 0, repeat="batches"))
    found = noise_floor(observations, "baseline", 0.95)
    assert found.sd.value == pytest.approx(math.sqrt(6 * 0.005**2 / 5))
    assert found.a_a == pytest.approx((math.expm1(0.3),))
    assert (found.pairs, found.false_alarms) == (1, 1)
    with pytest.raises(EvidenceError, match="no arm has two seeds"):
        noise_floor(observations[:1], "baseline", 0.95)
