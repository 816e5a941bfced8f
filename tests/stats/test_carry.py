import math

import numpy as np
import pytest
from campaign_examples import Campaign, above, effects

from pilotlight.stats.carry import Carried, carry
from pilotlight.stats.comparison import Comparison, compare
from pilotlight.stats.rule import Rule

RULE = Rule()


def found(seeds=(4, 4, 4), effect=-0.02, trend=0.0, noise=0.001, seed=0):
    made = Campaign(seeds, (0.5,), effects=(effect,), trend=trend, noise=noise)
    return compare(made.observations(np.random.default_rng(seed)), "baseline", RULE).comparisons[0]


def carried(comparison, folds=3.0):
    return carry(comparison, comparison.sizes[comparison.scale] * math.exp(folds), RULE.worth, RULE.level)


def test_a_steady_effect_stays_and_its_doubt_grows_with_the_distance():
    near, far = carried(found(), 0.5), carried(found(), 4.0)
    assert far.log_effect == pytest.approx(-0.02, abs=0.006)
    assert far.error > near.error > 0.0
    assert far.folds == pytest.approx(4.0)
    assert far.reversal < 0.05


def test_an_effect_that_surely_fades_is_foretold_to_turn_round():
    fading = found(effect=-0.01, trend=-0.02, noise=0.0005)
    assert carried(fading, 3.0).reversal > 0.8
    assert carried(found(effect=-0.01, trend=0.0, noise=0.0005), 3.0).reversal < 0.2


def test_an_effect_lost_in_noise_may_as_well_be_the_other_way_round():
    assert 0.2 < carried(found(effect=-0.0002, noise=0.005)).reversal < 0.8


def test_one_size_leaves_the_effect_where_it_is():
    alone = found(seeds=(5,))
    drawn = math.log1p(alone.shrunken.value)
    assert carried(alone).log_effect == pytest.approx(drawn)
    assert carried(alone).error > alone.error


def test_the_sign_of_the_effect_does_not_matter():
    up, down = carried(found(effect=0.02)), carried(found(effect=-0.02))
    assert up.reversal == pytest.approx(down.reversal, abs=0.03)


def test_carried_effects_survive_their_json_and_old_comparisons_load():
    comparison = found()
    assert Carried.from_json(carried(comparison).to_json()) == carried(comparison)
    old = comparison.model_dump(mode="json", exclude={"shrunken", "trend_error", "errors", "sizes"})
    loaded = Comparison.model_validate(old)
    assert (loaded.shrunken, loaded.errors, loaded.sizes) == (None, {}, {})


def test_variants_that_drift_make_the_others_less_sure():
    unsure = found(noise=0.005)
    size = unsure.sizes[unsure.scale] * 30.0
    steady, drifting = found(noise=0.0003), found(trend=0.02, noise=0.0003)
    calm, wild = (carry(unsure, size, RULE.worth, RULE.level, [unsure] + [other] * 3) for other in (steady, drifting))
    assert wild.error > 1.3 * calm.error


def test_effects_carried_to_the_full_size_cover_where_they_drift_as_assumed():
    hits = effects.Foretold.of((3, 3, 3), None, 60).hits
    # Variants of a campaign share its drift, so that 180 effects count as hardly more than 60.
    assert sum(hits) / len(hits) >= above(0.95, 60)
