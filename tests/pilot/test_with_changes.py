"""The prediction of the full run with the adopted changes in it."""

from __future__ import annotations

import math

import pytest
from made_up_results import World, decision_of, loss, pilot_of

from pilotlight.pilot.forecast import with_changes
from pilotlight.record.decision import Decision, Finding
from pilotlight.stats.student import critical

TRUTH = loss(3e6, 30e6)
GOOD = World(effects={"half_lr": -0.04})


def half_lr(decision: Decision) -> Finding:
    return next(item for item in decision.findings if item.variant == "half_lr")


def test_the_spread_of_the_prediction_is_students_t_and_grows_by_each_effect():
    decision = decision_of(pilot_of(goal={"target": TRUTH * 0.97}), GOOD)
    base, prediction, finding = decision.forecast, decision.target.prediction, half_lr(decision)
    carried = finding.carried
    assert carried.error > finding.comparison.error
    reach = critical(0.95, carried.degrees) / critical(0.95, base.spread.df)
    scale = math.hypot(base.spread.scale, carried.error * reach)
    expected = base.spread.model_copy(update={"centre": base.spread.centre + carried.log_effect, "scale": scale})
    assert (prediction.low, prediction.high) == pytest.approx(expected.bounds(0.95))
    assert decision.target.probability == pytest.approx(expected.below(TRUTH * 0.97))


def test_effects_in_opposite_directions_do_not_cancel_in_doubt():
    found = decision_of(pilot_of(), GOOD)
    better = half_lr(found)
    opposite = better.carried.model_copy(update={"log_effect": -better.carried.log_effect})
    worse = better.model_copy(update={"carried": opposite})
    both = with_changes(found.forecast.spread, [better, worse], 0.95)
    assert both.scale > with_changes(found.forecast.spread, [better], 0.95).scale > found.forecast.spread.scale


def test_the_half_width_of_an_adopted_effect_joins_that_of_the_prediction_whatever_its_degrees():
    found = decision_of(pilot_of(), GOOD)
    base, better = found.forecast.spread, half_lr(found)
    for degrees in (1.0, 2.0, 30.0):
        carried = better.carried.model_copy(update={"degrees": degrees, "error": 0.01})
        moved = with_changes(base, [better.model_copy(update={"carried": carried})], 0.95)
        half, own = (critical(0.95, base.df) * one.scale for one in (moved, base))
        assert half == pytest.approx(math.hypot(own, 0.01 * critical(0.95, degrees)))
