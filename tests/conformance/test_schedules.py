"""Every learning-rate schedule keeps these promises."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotlight.spec import discover
from pilotlight.train.schedules import Schedule

pytestmark = pytest.mark.parametrize("kind", discover(Schedule.folder))


@given(steps=st.integers(1, 5000), share=st.floats(0, 1, exclude_max=True))
def test_the_factor_is_a_share_of_the_peak(kind, steps, share):
    factor = Schedule.choose(kind).factor(int(share * steps), steps)
    assert 0 <= factor <= 1
    assert math.isfinite(factor)


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 997])
def test_it_reaches_the_peak_and_moves_from_the_first_step_to_the_last(kind, steps):
    factors = [Schedule.choose(kind).factor(step, steps) for step in range(steps)]
    assert all(factor > 0 for factor in factors)
    assert max(factors) > (0.9 if steps >= 10 else 0)


def test_it_rises_once_and_falls_once(kind):
    factors = [Schedule.choose(kind).factor(step, 1000) for step in range(1000)]
    peak = factors.index(max(factors))
    assert factors[: peak + 1] == sorted(factors[: peak + 1])
    assert factors[peak:] == sorted(factors[peak:], reverse=True)


def test_longer_runs_stretch_the_same_curve(kind):
    schedule = Schedule.choose(kind)
    for share in (0.1, 0.5, 0.9):
        short, long = (schedule.factor(int(share * steps), steps) for steps in (1000, 10_000))
        assert short == pytest.approx(long, abs=0.02)


def test_beyond_the_last_step_it_stays_a_share(kind):
    assert 0 <= Schedule.choose(kind).factor(130, 100) <= 1


def test_settings_survive_json_and_need_no_torch_layer(kind):
    schedule = Schedule.choose(kind)
    assert Schedule.choose(schedule.model_dump(mode="json")) == schedule
    assert "torch" not in vars(sys.modules[type(schedule).__module__])
