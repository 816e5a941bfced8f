"""Measuring the speed of a plan."""

from __future__ import annotations

from training_examples import ONE, plan_of

from pilotlight.train.throughput import throughput


def test_steps_and_windows_take_time_and_a_short_plan_can_be_measured_too(tokens):
    found = throughput(plan_of(steps=2), ONE, tokens, 0.05)
    assert len(found.steps) >= 5
    assert min(found.steps) > 0
    assert found.window > 0
