"""The stability margin: doubled until a short training does not survive, then halved in between."""

from __future__ import annotations

import json

import pytest
from training_examples import ONE, plan_of

from pilotlight.errors import RunError
from pilotlight.events import Note
from pilotlight.train.loop import train
from pilotlight.train.margin import RECORD, Attempt, Margin, _judged, margin
from pilotlight.train.margin import _edges as edges

GUARD = {"first": 8, "window": 16, "patience": 6}


def plan(lr: float):
    return plan_of(500, optim={"kind": "adamw", "lr": lr}, guard=GUARD)


@pytest.fixture(scope="module")
def found(tokens, tmp_path_factory):
    folder, seen = tmp_path_factory.mktemp("margin"), []
    return margin(plan(0.25), ONE, tokens, folder, steps=24, bisections=1, watch=seen.append), folder, seen


def test_the_rate_is_raised_until_a_training_does_not_survive(found):
    result, _, _ = found
    assert result.rate == 0.25
    assert 1 <= result.multiple < result.fails_at <= 64
    multiples = [one.multiple for one in result.attempts]
    assert multiples == sorted(multiples)
    assert pytest.approx(result.fails_at / result.multiple) == 2**0.5  # one halving of a factor of 2
    assert all(one.survived == (one.multiple <= result.multiple) for one in result.attempts)
    assert result.best in multiples


def test_what_happened_at_each_multiple_is_told_and_kept(found):
    result, folder, seen = found
    assert Margin.from_json((folder / RECORD).read_bytes()) == result
    failed = next(one for one in result.attempts if not one.survived)
    assert any(word in failed.seen for word in ("risen", "flagged", "nothing was learned", "far above the best"))
    notes = [event.text for event in seen if isinstance(event, Note)]
    assert len(notes) == len(result.attempts)
    assert f"up to {result.multiple:.3g} times and not at {result.fails_at:.3g} times" in result.sentence


def test_no_training_is_done_twice(found, tokens):
    result, folder, _ = found
    before = {path: path.stat().st_mtime_ns for path in folder.glob("x*/metrics.jsonl")}
    assert len(before) == len(result.attempts)
    assert margin(plan(0.25), ONE, tokens, folder, steps=24, bisections=1) == result
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_rate_that_does_not_survive_is_lowered(tokens, tmp_path):
    result = margin(plan(8.0), ONE, tokens, tmp_path, steps=24, bisections=0)
    assert 0 < result.multiple < 1
    assert result.fails_at == 2 * result.multiple


def test_asked_to_stop_it_stops(tokens, tmp_path, monkeypatch):
    def stopped(*arguments, **named):
        raise RunError("asked to stop")

    monkeypatch.setattr("pilotlight.train.margin.train", stopped)
    with pytest.raises(RunError, match="asked to stop"):
        margin(plan(0.01), ONE, tokens, tmp_path, steps=2)
    assert train is not stopped


def test_a_training_that_ends_far_above_the_best_has_not_survived():
    def attempt(multiple: float, loss: float | None, survived: bool = True) -> Attempt:
        return Attempt(multiple=multiple, rate=multiple, loss=loss, survived=survived, seen="")

    judged = _judged({1.0: attempt(1, 2.0), 2.0: attempt(2, 2.2), 4.0: attempt(4, 3.1), 8.0: attempt(8, None, False)})
    assert [one.survived for one in judged.values()] == [True, True, False, False]
    assert "far above the best, 2.0000" in judged[4.0].seen
    assert edges(judged) == (2.0, 4.0)
    assert edges({1.0: attempt(1, None, False)}) == (0.0, 1.0)
    assert json.loads(judged[1.0].to_json())["multiple"] == 1.0
