"""A training measures its own loss against what was expected, the same after a kill."""

from __future__ import annotations

import pytest
from training_examples import ONE, digest, plan_of

from pilotlight.record.diagnosis import Diagnosis
from pilotlight.train.events import Stepped
from pilotlight.train.expected import Expected, Point
from pilotlight.train.loop import train

LOW = Expected(points=(Point(step=12, low=0.5, value=0.6, high=0.7),), source="the pilot's forecast")


def test_a_forecast_of_the_end_is_held_against_all_held_out_text(tokens, tmp_path):
    seen = []
    run = train(plan_of(), ONE, tokens, tmp_path / "run", watch=seen.append, expected=LOW)
    (line,) = run.lines("diagnosis")
    assert line["bits_per_byte"] == run.facts.metrics["bits_per_byte"]
    assert "at the end, where the pilot's forecast says 0.6000" in line["seen"]
    (event,) = (one for one in seen if isinstance(one, Diagnosis))
    assert event.causes[0].kind == line["causes"][0]["kind"]


def test_what_is_expected_changes_no_weight(tokens, tmp_path):
    with_one = train(plan_of(), ONE, tokens, tmp_path / "one", expected=LOW)
    without = train(plan_of(), ONE, tokens, tmp_path / "none")
    one, none = digest(with_one.folder), digest(without.folder)
    assert {name for name in one if one[name] != none[name]} <= {"metrics.jsonl", "manifest.json"} | {
        name for name in one if name.startswith("checkpoints/")
    }


def test_left_in_the_middle_it_finds_the_same_as_in_one_go(tokens, tmp_path):
    plan = plan_of(40, optim={"kind": "adamw", "lr": 3.0}, guard={"patience": 1000, "k": 1e6})

    class Enough(Exception):
        pass

    def leave(event):
        if isinstance(event, Stepped) and event.step == 27:
            raise Enough

    whole = train(plan, ONE, tokens, tmp_path / "whole")
    assert whole.lines("diagnosis")
    with pytest.raises(Enough):
        train(plan, ONE, tokens, tmp_path / "left", watch=leave, checkpoint_seconds=0.0)
    again = train(plan, ONE, tokens, tmp_path / "left")
    assert digest(again.folder) == digest(whole.folder)
