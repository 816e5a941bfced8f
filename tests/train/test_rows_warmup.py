"""Batch-size warm-up in a training: tokens, steps, micro-batches, skips and kills."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from training_examples import ONE, Poisoned, digest, plan_of

from pilotlight.record.run import read_lines
from pilotlight.tokens.rows import RowsWarmup
from pilotlight.train.events import Saved
from pilotlight.train.loop import train
from pilotlight.train.plan import Training

WARMUP = RowsWarmup(start=1, until=0.5)


def _plan(steps: int = 8, **settings):
    return plan_of(steps=steps, rows_warmup=WARMUP, **settings)


def _taken(folder) -> list[int]:
    return [line["tokens"] for line in read_lines(folder / "metrics.jsonl") if line["kind"] == "step"]


def test_tokens_of_plan_metrics_and_facts_are_those_of_the_smaller_batches(tokens, tmp_path):
    plan = _plan()
    run = train(plan, ONE, tokens, tmp_path / "run")
    rows = [1, 1, 2, 2, 4, 4, 4, 4]
    assert _taken(run.folder) == [24 * sum(rows[: step + 1]) for step in range(8)]
    assert plan.tokens == run.facts.tokens == 24 * sum(rows)
    per_token = run.facts.flops / plan.tokens
    other = train(plan_of(steps=2), ONE, tokens, tmp_path / "other")
    assert per_token == pytest.approx(other.facts.flops / plan_of(steps=2).tokens)


def test_micro_batches_change_nothing_but_rounding(tokens, tmp_path):
    runs = [train(_plan(), ONE.model_copy(update={"rows_at_once": at_once}), tokens, tmp_path / str(at_once))
            for at_once in (None, 1, 3)]  # fmt: skip
    whole, *parts = (load_file(run.folder / "model" / "model.safetensors") for run in runs)
    for part in parts:
        assert max(float((part[name] - value).abs().max()) for name, value in whole.items()) < 1e-4


def test_killed_twice_it_ends_bit_for_bit_the_same(tokens, tmp_path):
    whole = train(_plan(), ONE, tokens, tmp_path / "whole")
    for last in (2, 5):

        def leave(event, last=last):
            if isinstance(event, Saved) and event.step == last:
                raise InterruptedError

        with pytest.raises(InterruptedError):
            train(_plan(), ONE, tokens, tmp_path / "parts", watch=leave, checkpoint_seconds=0)
    train(_plan(), ONE, tokens, tmp_path / "parts", checkpoint_seconds=0)
    assert digest(tmp_path / "parts") == digest(whole.folder)


def test_a_skipped_batch_leaves_tokens_and_later_sizes_right(tokens, tmp_path):
    bad = int(_batches(tokens).at(1).sum())
    run = train(_plan(objective=Poisoned(sums=(bad,))), ONE, tokens, tmp_path / "run")
    rows = [1, 2, 2, 4, 4, 4, 4, 4]  # place 1 is gone
    assert _taken(run.folder) == [24 * sum(rows[: step + 1]) for step in range(8)]


def _batches(tokens):
    from pilotlight.tokens.batches import Batches

    plan = _plan()
    return Batches(tokens.split("train"), 4, 24, plan.seed_of("batches"), counts=plan.train.counts(8))


def test_without_a_warmup_a_plan_is_what_it_was():
    assert "rows_warmup" not in plan_of().identity()["train"]
    assert plan_of(steps=5).tokens == 5 * 4 * 24


@given(tokens=st.floats(1, 1e7), start=st.integers(1, 15), until=st.floats(0.01, 1))
def test_the_number_of_steps_is_the_one_closest_to_the_tokens_asked_for(tokens, start, until):
    training = Training(rows=16, context=8, rows_warmup=RowsWarmup(start=start, until=until))
    steps = training.steps_for(tokens)
    off = abs(training.tokens(steps) - tokens)
    assert off <= abs(training.tokens(steps + 1) - tokens)
    assert steps == 1 or off <= abs(training.tokens(steps - 1) - tokens)


def test_steps_without_a_warmup_are_rounded():
    training = Training(rows=4, context=8)
    assert [training.steps_for(tokens) for tokens in (1, 32, 47, 49)] == [1, 1, 1, 2]
    assert training.tokens(3) == 96


@pytest.mark.parametrize("wrong", [{"start": 16}, {"start": 1, "shape": "linear"}])
def test_a_warmup_that_does_not_grow_or_has_too_many_sizes_is_refused(wrong):
    with pytest.raises(ValueError, match="expected fewer rows than"):
        Training(rows=16 if "shape" not in wrong else 64, rows_warmup=wrong)
