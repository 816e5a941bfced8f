"""Every sampler of a search keeps these promises."""

from __future__ import annotations

import sys

import pytest

from pilotlight.pilot.samplers import Sampler
from pilotlight.pilot.space import Dimension, Told
from pilotlight.spec import canonical, discover

pytestmark = pytest.mark.parametrize("kind", discover(Sampler.folder))

SPACE = (
    Dimension("model.feedforward", "choice", ({"kind": "gelu"}, {"kind": "swiglu", "ratio": 2.0})),
    Dimension("train.optim.lr", "number", low=1e-3, high=1e-1, log=True),
    Dimension("train.rows", "whole", low=2, high=32),
)


def told(count: int) -> list[Told]:
    """Results that are best at a rate of 0.02 with the gate; one point gave none, and the baseline lies outside."""
    found = [Told(0, {"model.feedforward": {"kind": "relu"}, "train.optim.lr": 0.5, "train.rows": 64}, 9.0)]
    for number in range(1, count):
        rate, gated = round(0.0011 + 0.0061 * number, 4), number % 2
        point = {"model.feedforward": SPACE[0].choices[gated], "train.optim.lr": rate, "train.rows": 2 + number}
        found.append(Told(number, point, None if number == 3 else 1 + abs(rate - 0.02) + (0 if gated else 0.1)))
    return found


def test_points_lie_in_the_space_and_are_new(kind):
    known = told(12)
    points = Sampler.choose(kind).ask(SPACE, known, 5, seed=0)
    assert len(points) == 5
    assert len({canonical(point) for point in [*points, *(one.point for one in known)]}) == 17
    for point in points:
        assert all(dimension.holds(point[dimension.path]) for dimension in SPACE)
        assert isinstance(point["train.rows"], int)


def test_the_same_results_lead_to_the_same_points_whenever_they_are_asked_for(kind):
    sampler, known = Sampler.choose(kind), told(12)
    points = sampler.ask(SPACE, known, 2, seed=0)
    assert sampler.ask(SPACE, list(reversed(known)), 2, seed=0) == points
    assert sampler.ask(SPACE, known, 2, seed=1) != points


def test_a_small_space_is_used_up_and_then_there_is_no_more(kind):
    space = (Dimension("a", "choice", ("x", "y", "z")),)
    found: list[Told] = []
    for _ in range(5):
        for point in Sampler.choose(kind).ask(space, found, 2, seed=0):
            found.append(Told(len(found), point, {"x": 1.0, "y": 2.0, "z": 3.0}[point["a"]]))
    assert len(found) <= 3
    assert len({one.point["a"] for one in found}) == len(found) >= 2


def test_what_learns_is_drawn_to_where_results_were_good(kind):
    sampler = Sampler.choose(kind)
    space = (Dimension("rate", "number", low=1e-4, high=1.0, log=True),)
    known = [Told(number, {"rate": rate}, abs(number - 9) / 10) for number, rate in
             enumerate(float(f"{1e-4 * 10 ** (4 * step / 12):.4g}") for step in range(13))]  # fmt: skip
    points = sampler.ask(space, known, 3, seed=0)
    near = sum(0.02 < point["rate"] <= 1.0 for point in points)
    assert near >= 2 or not sampler.learns


def test_settings_survive_json_and_need_neither_torch_nor_optuna(kind):
    sampler = Sampler.choose(kind)
    assert Sampler.choose(sampler.model_dump(mode="json")) == sampler
    assert not {"torch", "optuna"} & set(vars(sys.modules[type(sampler).__module__]))
