"""Failures and checkpoints: the formula against failures that are simulated, and the optimum against a search."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pilotlight.pilot.goodput import FAILURES_PER_DEVICE_HOUR, daly, stretch, young
from pilotlight.randomness import stream


def simulated(work: float, interval: float, write: float, restart: float, between: float, seed: int) -> float:
    """Return the wall-clock of one job whose failures come one after another; a failure may hit a restart too."""
    draw = stream(seed, "failures")
    clock, done, next_failure = 0.0, 0.0, draw.exponential(between)
    while done < work:
        piece = min(interval, work - done)
        if clock + piece + write <= next_failure:
            clock, done = clock + piece + write, done + piece
            continue
        clock = next_failure
        next_failure = clock + draw.exponential(between)
        while next_failure < clock + restart:
            clock, next_failure = next_failure, next_failure + draw.exponential(between)
        clock += restart
    return clock


@pytest.mark.parametrize(("interval", "write", "restart", "between"), [
    (30.0, 1.0, 5.0, 200.0), (60.0, 4.0, 20.0, 90.0), (10.0, 2.0, 0.0, 40.0), (50.0, 0.5, 30.0, 5000.0),
])  # fmt: skip
def test_simulated_failures_take_what_the_formula_says(interval, write, restart, between):
    work = 200 * interval
    runs = np.array([simulated(work, interval, write, restart, between, seed) for seed in range(60)]) / work
    error = runs.std(ddof=1) / math.sqrt(len(runs))
    assert abs(runs.mean() - stretch(interval, write, restart, between)) < 3.5 * error
    assert error < 0.02 * runs.mean(), "tight enough to see a wrong formula"


@pytest.mark.parametrize(("write", "between"), [(2.0, 1e4), (30.0, 4e3), (60.0, 500.0)])
def test_daly_s_interval_is_as_good_as_the_best_and_better_than_young_s(write, between):
    grid = np.geomspace(write / 10, 5 * between, 4000)
    best = float(stretch(grid, write, 10.0, between).min())
    assert stretch(daly(write, between), write, 10.0, between) <= best * 1.001
    assert stretch(daly(write, between), write, 10.0, between) <= stretch(young(write, between), write, 10.0, between)


def test_without_failures_only_checkpoints_are_paid_and_hopeless_jobs_do_not_overflow():
    assert stretch(100.0, 2.0, 50.0, 1e12) == pytest.approx(1.02)
    assert math.isfinite(stretch(1e6, 1.0, 1.0, 1.0))
    assert daly(10.0, 4.0) == 4.0


def test_the_published_rate_of_llama_3_is_its_419_interruptions_in_54_days_on_16384_devices():
    rate = 419 / (54 * 24 * 16384)
    assert rate == pytest.approx(FAILURES_PER_DEVICE_HOUR[1], rel=0.02)
    between = 3600 / (rate * 16384)
    assert between == pytest.approx(3.1 * 3600, rel=0.01), "a failure every three hours"
    # the report says that more than 90 % of the time was effective: quick checkpoints and restarts give that
    assert 1 / stretch(daly(10, between), 10.0, 180.0, between) > 0.9
    assert 1 / stretch(daly(120, between), 120.0, 1800.0, between) < 0.8
