from __future__ import annotations

import math

import numpy as np
import pytest

from pilotlight.errors import EvidenceError
from pilotlight.scaling.repeats import repeats
from pilotlight.scaling.tasks import Task, TaskRow


def _coverage(count, studies=400):
    """Share of simulated set-ups, whose noise is anything from 0.005 % to 3 %, whose interval holds a further run."""
    rng = np.random.default_rng(count)
    inside = 0
    for _ in range(studies):
        spread = math.exp(rng.uniform(math.log(5e-5), math.log(3e-2)))
        values = np.exp(1.0 + spread * rng.standard_normal(count + 1))
        found = repeats(values[:-1].tolist()).estimate()
        inside += found.low <= values[-1] <= found.high
    return inside / studies


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_the_interval_holds_a_further_run_as_often_as_it_says(count):
    # two points, and what 400 studies leave open
    assert abs(_coverage(count) - 0.95) < 0.02 + 0.011


def test_with_four_repeats_the_interval_is_nearly_students_t():
    values = np.exp(0.7 + 0.002 * np.array([-1.2, 0.3, 0.9, 0.0]))
    half = 3.182 * np.log(values).std(ddof=1) * math.sqrt(1 + 1 / 4)
    assert repeats(values.tolist()).half(0.95) == pytest.approx(half, rel=0.05)


def test_two_repeats_are_not_left_with_an_interval_that_ends_nowhere():
    values = [2.0, 2.002]
    student = 12.71 * 0.001 / math.sqrt(2) * math.sqrt(1.5)
    assert repeats(values).half(0.95) < 0.8 * student


def test_one_repeat_gets_what_set_ups_usually_show_and_says_so():
    found = repeats([2.0]).estimate()
    assert found.low < 1.99 < 2.01 < found.high
    assert found.cautions


def test_equal_repeats_and_values_below_zero_have_an_interval_too():
    assert 0 < repeats([2.0, 2.0, 2.0]).half(0.95) < 0.02
    found = repeats([-1.0, 0.5, 0.2]).estimate()
    assert found.low < -0.1 < found.high


def test_the_probability_below_agrees_with_the_interval():
    found = repeats([2.0, 2.01, 1.99, 2.02])
    bounds = found.estimate()
    assert found.below(bounds.low) == pytest.approx(0.025, abs=1e-4)
    assert found.below(bounds.high) == pytest.approx(0.975, abs=1e-4)
    assert found.below(-1.0) == 0.0


@pytest.mark.parametrize("values", [[], [1.0, float("nan")]])
def test_repeats_that_are_no_numbers_are_refused(values):
    with pytest.raises(EvidenceError, match="finite"):
        repeats(values)


def test_a_seed_task_is_scored_on_the_other_repeats(tmp_path):
    from pilotlight.scaling.backtests.seed import run

    values = [2.0, 2.01, 1.99, 2.005, 2.003, 2.5]
    rows = tuple(
        TaskRow(f"r{index}", "pilot" if index < 4 else "target", "", "", {"loss": str(value)})
        for index, value in enumerate(values)
    )
    score = run(Task("made_up", "seeds", "seed", "loss", "lower", rows, tmp_path))
    assert (score.n_pilot, score.n_target, score.coverage) == (4, 2, 0.5)
    assert score.interval_score > 2 * score.half_width
    blank = tuple(TaskRow(row.run, row.role, "", "", {}) for row in rows)
    assert run(Task("made_up", "seeds", "seed", "loss", "lower", blank, tmp_path)).abstained
