"""Each schedule against its formula, and branches that go on from another run's checkpoint."""

from __future__ import annotations

import json
import math

import pytest
from training_examples import ONE, plan_of

from pilotlight.train.events import Saved
from pilotlight.train.loop import train
from pilotlight.train.schedules import Schedule


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"kind": "constant", "warmup": 0.1}, [0.1, 0.5, 1.0, 1.0, 1.0]),
        ({"kind": "linear", "warmup": 0.1, "final": 0.1}, [0.1, 0.5, 1.0, 0.55, 0.11]),
        ({"kind": "step", "warmup": 0.1, "drops": [0.5, 0.9], "by": 0.5}, [0.1, 0.5, 1.0, 0.5, 0.25]),
        ({"kind": "exponential", "warmup": 0.1, "final": 0.01}, [0.1, 0.5, 1.0, 0.1, 0.01 ** (89 / 90)]),
        ({"kind": "wsd", "warmup": 0.1, "decay": 0.2}, [0.1, 0.5, 1.0, 1.0, 0.05]),
        ({"kind": "cosine", "warmup": 0.1, "final": 0.1},
         [0.1, 0.5, 1.0, 0.55, 0.1 + 0.45 * (1 - math.cos(math.pi / 90))]),
        ({"kind": "cooldown", "warmup": 0.1, "first": 55, "shape": "linear"}, [0.1, 0.5, 1.0, 1.0, 1 / 45]),
        ({"kind": "cooldown", "warmup": 0.1, "trunk_steps": 200, "first": 55, "final": 0.5},
         [0.05, 0.25, 0.55, 1.0, 1.0 - 0.5 * math.sqrt(44 / 45)]),
        ({"kind": "inverse_root", "warmup": 0.1}, [0.1, 0.5, math.sqrt(10 / 11), math.sqrt(10 / 56), math.sqrt(0.1)]),
    ],
)  # fmt: skip
def test_schedules_follow_their_formula(settings, expected):
    schedule = Schedule.choose(settings)
    assert [schedule.factor(step, 100) for step in (0, 4, 10, 55, 99)] == pytest.approx(expected)


@pytest.mark.parametrize("drops", [[0.9, 0.8], [0.5, 0.5], [0.01, 0.5]])
def test_drops_that_do_not_rise_after_the_warmup_are_refused(drops):
    with pytest.raises(ValueError, match="rising shares of the run"):
        Schedule.choose({"kind": "step", "drops": drops})


@pytest.mark.parametrize("trunk", ["constant", "wsd"])
@pytest.mark.parametrize("steps", [700, 900, 4000])
def test_until_it_begins_to_fall_a_branch_has_the_rates_of_its_trunk(trunk, steps):
    plan = Schedule.choose({"kind": trunk, "warmup": 0.1})
    branch = Schedule.choose({"kind": "cooldown", "warmup": 0.1, "trunk_steps": 1000, "first": 600})
    assert [branch.factor(step, steps) for step in range(601)] == [plan.factor(step, 1000) for step in range(601)]
    fall = [branch.factor(step, steps) for step in range(600, steps)]
    assert fall == sorted(fall, reverse=True)
    assert 0 < fall[-1] < 0.01


def test_a_branch_off_a_run_that_was_still_warming_up_goes_on_rising_as_it_falls():
    branch = Schedule.choose({"kind": "cooldown", "warmup": 0.5, "trunk_steps": 100, "first": 10, "shape": "linear"})
    assert branch.factor(10, 20) == pytest.approx(11 / 50)
    assert branch.factor(19, 20) == pytest.approx(20 / 50 * 0.1)


def test_a_branch_that_ends_before_its_fall_or_begins_after_its_trunk_is_refused():
    with pytest.raises(ValueError, match="the decay begins after 12 updates, but the branch has 12 steps"):
        plan_of(steps=12, schedule={"kind": "cooldown", "first": 12})
    with pytest.raises(ValueError, match="beyond the trunk's 10 steps"):
        Schedule.choose({"kind": "cooldown", "first": 12, "trunk_steps": 10})


def test_the_checkpoint_of_the_trunk_is_the_one_that_the_branch_has_at_its_first_step(tokens, tmp_path):
    branch = {"kind": "cooldown", "trunk_steps": 12, "first": 5}
    plans = {"trunk": plan_of(steps=12, schedule="constant"), "branch": plan_of(steps=8, schedule=branch)}
    found = {}
    for name, plan in plans.items():

        def look(event, name=name):
            if isinstance(event, Saved) and event.step == 5:
                files = ("model.safetensors", "optim.safetensors")
                state = json.loads((event.folder / "state.json").read_text(encoding="utf-8"))
                found[name] = [(event.folder / file).read_bytes() for file in files], state
                raise InterruptedError

        with pytest.raises(InterruptedError):
            train(plan, ONE, tokens, tmp_path / name, watch=look, checkpoint_seconds=0)
    assert found["trunk"] == found["branch"]


def test_a_cool_down_started_from_the_trunk_ends_where_it_would_have_ended_from_the_start(tokens, tmp_path):
    trunk = plan_of(steps=12, schedule="constant", clip="percentile")
    train(trunk, ONE.model_copy(update={"milestone_every": 5}), tokens, tmp_path / "trunk", checkpoint_seconds=0)
    settings = {"schedule": {"kind": "cooldown", "trunk_steps": 12, "first": 5}, "clip": "percentile"}
    whole = train(plan_of(steps=8, **settings), ONE, tokens, tmp_path / "whole")
    start = {"kind": "branch", "path": str(tmp_path / "trunk"), "step": 5}
    branch = train(plan_of(steps=8, start=start, **settings), ONE, tokens, tmp_path / "branch")
    models = [(run.folder / "model" / "model.safetensors").read_bytes() for run in (whole, branch)]
    assert models[0] == models[1]
