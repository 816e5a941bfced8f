"""The detector of bad steps: what it flags, what it leaves alone, and that nothing blinds it."""

from __future__ import annotations

import json
import math
import random

import pytest

from pilotlight.train.guard import Detector, Guard


def _calm(detector: Detector, steps: int, seed: int = 0) -> int:
    """Feed clean steps with falling loss and noisy norms; return how many were flagged."""
    draw, flags = random.Random(seed), 0
    for step in range(steps):
        loss = 4.0 * (1 + step) ** -0.1 + draw.gauss(0, 0.05)
        norm = math.exp(draw.gauss(-0.5, 0.15))
        judged = detector.judge(loss, norm)
        flags += judged != "accept"
        if judged == "accept":
            detector.accept(loss, norm)
    return flags


def _faults() -> list[tuple[float, float]]:
    return [(7.0, 0.6), (2.6, 5.0), (2.6, 12.0), (3.6, 0.6), (9.0, 90.0)]


@pytest.mark.parametrize("fault", _faults())
def test_a_fault_after_calm_steps_is_flagged(fault):
    detector = Detector(Guard())
    _calm(detector, 200)
    assert detector.judge(*fault) == "spike"


def test_clean_steps_are_flagged_less_than_once_in_a_thousand():
    assert sum(_calm(Detector(Guard()), 2000, seed) for seed in range(5)) <= 10


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_flagged_from_the_first_step(value):
    detector = Detector(Guard())
    assert detector.judge(value, 1.0) == "non_finite"
    assert detector.judge(1.0, value) == "non_finite"


def test_a_bad_step_leaves_the_detector_as_sharp_as_before():
    detector = Detector(Guard())
    _calm(detector, 200)
    limits = detector.limits()
    for step in range(10):
        detector.judge(math.nan, math.nan)
        detector.skip(200 + step)
    assert detector.limits() == limits
    assert detector.judge(7.0, 0.6) == "spike"
    assert detector.judge(2.4, 0.6) == "accept"


def test_the_first_steps_teach_it_and_flag_nothing_finite():
    detector = Detector(Guard(first=32))
    for step in range(31):
        assert detector.judge(10.0 - step * 0.2, 1.0) == "accept"
        detector.accept(10.0 - step * 0.2, 1.0)
    assert detector.limits() is None
    assert detector.judge(1000.0, 1000.0) == "accept"


def test_its_state_goes_through_json_unchanged():
    detector, other = Detector(Guard()), Detector(Guard())
    _calm(detector, 200)
    detector.skip(200)
    other.restore(json.loads(json.dumps(detector.state())))
    assert other.state() == detector.state()
    assert other.limits() == detector.limits()


def test_the_budget_counts_skips_within_a_stretch():
    detector = Detector(Guard(skips=2, within=100))
    assert [detector.skip(step) for step in (1, 2, 3)] == [True, True, False]
    detector = Detector(Guard(skips=2, within=100))
    assert [detector.skip(step) for step in (1, 90, 180, 270)] == [True, True, True, True]


def test_a_new_level_is_accepted_after_enough_flags_in_a_row():
    detector = Detector(Guard(shift=5))
    _calm(detector, 100)
    for step in range(5):
        assert detector.judge(8.0, 1.0) == "spike"
        detector.skip(step)
    assert detector.judge(8.0, 1.0) == "accept"


def test_a_loss_that_hardly_moves_does_not_flag_its_own_rounding():
    detector = Detector(Guard())
    for _ in range(128):
        detector.accept(2.0, 0.5)
    assert detector.judge(2.01, 0.6) == "accept"
    assert detector.judge(2.2, 0.5) == "spike"


@pytest.mark.parametrize("seed", range(3))
def test_a_level_that_falls_or_stays_is_never_adrift_and_one_that_creeps_up_is(seed):
    detector, draw = Detector(Guard()), random.Random(seed)
    adrift = []
    for step in range(2000):
        creep = 1.0 if step < 1200 else 1.0005 ** (step - 1200)  # no step of it stands out from the noise
        detector.accept(4.0 * (1 + step) ** -0.1 * creep + draw.gauss(0, 0.05), 1.0)
        adrift.append(detector.is_adrift)
    assert not any(adrift[:1300])
    assert any(adrift[1300:1700])
