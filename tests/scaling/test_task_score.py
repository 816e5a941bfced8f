from __future__ import annotations

import math

import numpy as np
import pytest

from pilotlight.errors import EvidenceError
from pilotlight.record.forecast import Predictive
from pilotlight.scaling.task_score import NoForecast, ScorePoint, forecast_scores
from pilotlight.stats.estimate import Estimate


def _truth(loss, steepness=4.0, middle=2.6, chance=0.25, ceiling=0.9):
    return chance + (ceiling - chance) / (1 + np.exp(steepness * (loss - middle)))


def _points(noise=0.01, seed=0, count=16, worst=3.6, best=2.5, **shape):
    rng = np.random.default_rng(seed)
    losses = np.linspace(worst, best, count)
    scores = np.clip(_truth(losses, **shape) + noise * rng.standard_normal(count), 0, 1)
    pairs = zip(losses, scores, strict=True)
    return [ScorePoint(float(x), float(y), run=f"r{i // 2}") for i, (x, y) in enumerate(pairs)]


def _loss(value, scale=0.005):
    return Predictive(centre=math.log(value), scale=scale, df=20.0)


def test_a_score_is_foretold_beyond_the_runs_that_were_scored():
    found = forecast_scores(_points(), _loss(2.3), chance=0.25)
    assert isinstance(found, Estimate)
    assert found.value == pytest.approx(float(_truth(2.3)), abs=0.05)
    assert found.low <= _truth(2.3) <= found.high
    assert found.n == 8


def test_the_interval_holds_the_truth_as_often_as_it_says_or_more():
    inside = 0
    for seed in range(40):
        rng = np.random.default_rng(1000 + seed)
        shape = {"steepness": rng.uniform(2, 7), "middle": rng.uniform(2.2, 3.0), "ceiling": rng.uniform(0.6, 1.0)}
        found = forecast_scores(_points(seed=seed, **shape), _loss(2.35), chance=0.25)
        assert isinstance(found, Estimate)
        inside += found.low <= float(_truth(2.35, **shape)) <= found.high
    assert inside >= 36


def test_a_wider_loss_gives_a_wider_score_and_a_further_one_a_caution():
    near = forecast_scores(_points(), _loss(2.4), chance=0.25)
    wide = forecast_scores(_points(), _loss(2.4, scale=0.05), chance=0.25)
    assert wide.half_width > near.half_width
    far = forecast_scores(_points(), _loss(1.5), chance=0.25)
    assert any("far below" in caution for caution in far.cautions)


def test_chance_may_be_left_open():
    found = forecast_scores(_points(), _loss(2.4))
    assert found.low <= _truth(2.4) <= found.high


def test_a_noisy_task_is_abstained_from():
    found = forecast_scores(_points(noise=0.15, seed=3), _loss(2.3), chance=0.25)
    assert isinstance(found, NoForecast)
    assert "noise" in found.why
    assert found.signal_to_noise < 4


def test_a_task_that_has_not_begun_to_move_is_abstained_from():
    found = forecast_scores(_points(middle=1.2), _loss(1.3), chance=0.25)
    assert isinstance(found, NoForecast)


def test_too_few_points_are_abstained_from_and_wrong_ones_refused():
    assert isinstance(forecast_scores(_points()[:4], _loss(2.3)), NoForecast)
    with pytest.raises(EvidenceError, match="score"):
        forecast_scores([*_points(), ScorePoint(2.0, 55.0)], _loss(2.3))
    with pytest.raises(EvidenceError, match="chance"):
        forecast_scores(_points(), _loss(2.3), chance=25.0)


def test_checkpoints_of_one_run_only_raise_a_caution():
    points = [ScorePoint(point.loss, point.score, run="one") for point in _points()]
    found = forecast_scores(points, _loss(2.4), chance=0.25)
    assert any("one run" in caution for caution in found.cautions)
