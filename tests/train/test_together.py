"""Trainings that are computed in one program: each is what it would be by itself."""

from __future__ import annotations

import shutil
import signal
import threading

import pytest
import torch
from training_examples import ONE, digest, plan_of

from pilotlight.errors import ConfigError, RunError
from pilotlight.events import Note
from pilotlight.model.decoder import Decoder
from pilotlight.record.run import Run
from pilotlight.spec import plain
from pilotlight.train.events import Saved, Started, Stepped
from pilotlight.train.loop import train
from pilotlight.train.machine import Machine
from pilotlight.train.together import Member, train_together

PLANS = [
    plan_of(),
    plan_of(seed=2, optim={"kind": "adamw", "lr": 0.01}),
    plan_of(seed=3, optim={"kind": "sgd", "lr": 0.01}, clip=None),
]


def members(tokens, folder, plans=PLANS, **named):
    return [Member(plan, tokens, folder / str(number), **named) for number, plan in enumerate(plans)]


def machine_of(run: Run) -> Machine:
    return Machine.model_validate_json((run.folder / "machine.json").read_text())


@pytest.fixture(scope="module")
def together(tokens, tmp_path_factory):
    return train_together(members(tokens, tmp_path_factory.mktemp("together")), ONE)


def test_each_is_what_it_would_be_by_itself_within_rounding(together, tokens, tmp_path):
    for number, run in enumerate(together):
        alone = train(PLANS[number], ONE, tokens, tmp_path / str(number))
        for what in ("loss", "gradient_norm"):
            found, expected = ([line[what] for line in one.lines("step")] for one in (run, alone))
            assert found == pytest.approx(expected, rel=1e-4)
        assert run.facts.metrics["bits_per_byte"] == pytest.approx(alone.facts.metrics["bits_per_byte"], rel=1e-4)
        assert run.fingerprint == alone.fingerprint
        assert [line["step"] for line in run.evaluations()] == [line["step"] for line in alone.evaluations()]
        assert (machine_of(run).together, machine_of(alone).together) == (3, 1)
    losses = [[line["loss"] for line in run.lines("step")] for run in together]
    assert losses[0] != losses[1] != losses[2]


def test_one_that_was_killed_is_the_same_bit_for_bit_without_the_others(together, tokens, tmp_path):
    class Killed(Exception):
        pass

    def leave(event):
        if isinstance(event, Saved):
            raise Killed

    started = members(tokens, tmp_path)
    started[1] = started[1]._replace(watch=leave)
    first = train_together(started, ONE, checkpoint_seconds=0.0)
    assert isinstance(first[1], Killed)
    assert [digest(run.folder) for run in (first[0], first[2])] == [
        digest(run.folder) for run in (together[0], together[2])
    ], "the others went on, and it makes no difference to them"
    seen = []
    empty, again, nobody = train_together([None, started[1]._replace(watch=seen.append), None], ONE)
    assert empty is nobody is None
    assert next(event.step for event in seen if isinstance(event, Started)) == 1
    assert not any(isinstance(event, Note) for event in seen), "it is the same machine"
    assert digest(again.folder) == digest(together[1].folder)


def test_finished_ones_are_returned_at_once(together, tokens):
    again = train_together(members(tokens, together[0].folder.parent), ONE, checkpoint_seconds=0.0)
    assert [run.facts for run in again] == [run.facts for run in together]


def test_trainings_of_another_shape_are_refused(tokens, tmp_path):
    with pytest.raises(ConfigError, match="2 trainings of 2 shapes"):
        train_together(members(tokens, tmp_path, [plan_of(), plan_of(rows=5)]), ONE)


def test_one_that_fails_leaves_the_others_alone(together, tokens, tmp_path):
    # A rate at which nothing is left but NaN: every batch from then on is skipped, until the guard stops the run.
    wild = plan_of(seed=5, optim={"kind": "sgd", "lr": 1e30}, clip=None, guard={"skips": 2, "rewinds": 0})
    first, failed, third = train_together(members(tokens, tmp_path, [PLANS[0], wild, PLANS[2]]), ONE)
    assert isinstance(failed, RunError)
    assert (tmp_path / "1" / "incident.json").is_file()
    assert [digest(run.folder) for run in (first, third)] == [digest(run.folder) for run in (together[0], together[2])]


def test_steps_that_are_skipped_and_batches_in_parts_take_their_own_way(tokens, tmp_path):
    plans = [plan_of(steps=6), plan_of(seed=2, steps=6)]
    machine = ONE.model_copy(update={"rows_at_once": 3})
    found = train_together(members(tokens, tmp_path / "together", plans), machine)
    for number, run in enumerate(found):
        alone = train(plans[number], machine, tokens, tmp_path / str(number))
        expected = [line["loss"] for line in alone.lines("step")]
        assert [line["loss"] for line in run.lines("step")] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("changes", [
    {"mixer": {"kind": "delta", "head_dim": 16}},
    {"mixer": {"kind": "minimal_recurrence", "head_dim": 16}},
    {"dropout": 0.2, "mixer": {"kind": "window", "head_dim": 16, "window": 8}},
], ids=lambda changes: changes["mixer"]["kind"])  # fmt: skip
def test_other_models_masks_and_random_choices_are_each_members_own(changes, tokens, tmp_path):
    model = Decoder.model_validate({"depth": 1, "width": 32, **changes})
    plans = [plan_of(steps=3, seed=seed, documents="separate").model_copy(update={"model": model}) for seed in (1, 2)]
    seen = []
    found = train_together(members(tokens, tmp_path / "together", plans), ONE, watch=seen.append)
    assert seen == []
    for number, run in enumerate(found):
        alone = train(plans[number], ONE, tokens, tmp_path / str(number))
        expected = [line["loss"] for line in alone.lines("step")]
        assert [line["loss"] for line in run.lines("step")] == pytest.approx(expected, rel=1e-4)


def test_models_that_cannot_be_stacked_are_trained_one_after_another(tokens, tmp_path):
    model = Decoder.model_validate({"depth": 1, "width": 32, "mixer": {"kind": "gru", "head_dim": 16}})
    plans = [plan_of(steps=2, seed=seed).model_copy(update={"model": model}) for seed in (1, 2)]
    seen = []
    found = train_together(members(tokens, tmp_path, plans), ONE, watch=seen.append)
    assert [machine_of(run).together for run in found] == [1, 1]
    assert "cannot be computed together" in seen[0].text


def test_what_cannot_be_compiled_is_stacked_as_it_is(together, tokens, tmp_path, monkeypatch):
    def broken(program, **named):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(torch, "compile", broken)
    seen = []
    machine = ONE.model_copy(update={"compile": True})
    found = train_together(members(tokens, tmp_path), machine, watch=seen.append)
    assert [(type(event), event.level) for event in seen] == [(Note, "warning")]
    assert [run.facts for run in found] == [run.facts for run in together]


def test_fewer_are_taken_where_not_all_fit(tokens, tmp_path, monkeypatch):
    from pilotlight.train import together as module

    class Small(module.Stack):
        def warm_up(self, training, held_out):
            if self.slots > 2:
                raise torch.OutOfMemoryError("too many")
            super().warm_up(training, held_out)

    monkeypatch.setattr(module, "Stack", Small)
    plans = [plan_of(steps=2, seed=seed) for seed in range(5)]
    seen = []
    found = train_together(members(tokens, tmp_path, plans), ONE, watch=seen.append)
    assert [machine_of(run).together for run in found] == [2] * 5
    assert [event.text for event in seen] == ["5 trainings do not fit into the memory of cpu together; 2 are tried"]


def test_an_interruption_ends_every_training_and_its_thread(tokens, tmp_path):
    class Interrupted(BaseException):
        pass

    def interrupt(question):
        raise Interrupted

    before = threading.active_count()
    from pilotlight.train.stack import Stack

    with pytest.MonkeyPatch.context() as patch:
        calls = []
        answer = Stack.answer

        def broken(self, questions):
            calls.append(1)
            return answer(self, questions) if len(calls) < 6 else interrupt(questions)

        patch.setattr(Stack, "answer", broken)
        with pytest.raises(Interrupted):
            train_together(members(tokens, tmp_path), ONE, checkpoint_seconds=0.0)
    assert threading.active_count() == before
    found = train_together(members(tokens, tmp_path), ONE)
    assert all(isinstance(run, Run) for run in found)


@pytest.mark.parametrize("changes", [{}, {"mixer": {"kind": "gru", "head_dim": 16}}], ids=["stacked", "one by one"])
def test_a_request_to_stop_saves_them_all_and_none_begins_after_it(changes, tokens, tmp_path):
    model = Decoder.model_validate({"depth": 1, "width": 32, "mixer": {"kind": "grouped", "head_dim": 16}} | changes)
    plans = [plan_of(seed=seed, steps=6).model_copy(update={"model": model}) for seed in (1, 2)]

    def stop(event):
        if isinstance(event, Stepped) and event.step == 3:
            signal.raise_signal(signal.SIGTERM)

    asked = members(tokens, tmp_path, plans)
    asked[0] = asked[0]._replace(watch=stop)
    first, second = train_together(asked, ONE)
    assert "of 6; run again to go on" in str(first)
    assert ("stopped at step" if not changes else "not trained, because a stop was asked for") in str(second)
    assert all(isinstance(run, Run) for run in train_together(members(tokens, tmp_path, plans), ONE))


def test_plans_of_one_shape_differ_in_what_no_program_sees(tokens):
    from pilotlight.train.alike import shape_of

    shape = shape_of(plan_of(), 257)
    same = [plan_of(seed=7, optim={"kind": "lion", "lr": 0.1}, schedule={"kind": "constant"}, clip=None)]
    other = [plan_of(rows=5), plan_of(context=20), plan_of(steps=11), plan_of(documents="separate"),
             plan_of(precision="bfloat16"), plan_of(objective={"kind": "next_token", "z_loss": 1e-4})]  # fmt: skip
    assert {shape_of(plan, 257) for plan in same} == {shape}
    assert shape not in {shape_of(plan, 257) for plan in other}
    assert shape_of(plan_of(), 258) != shape
    assert plain(plan_of())["model"]["initialisation"]["kind"] == "normal"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_compiled_trainings_agree_within_rounding(together, tokens, tmp_path):
    seen = []
    machine = ONE.model_copy(update={"compile": True})
    found = train_together(members(tokens, tmp_path), machine, watch=seen.append)
    assert seen == []
    for run, eager in zip(found, together, strict=True):
        expected = [line["loss"] for line in eager.lines("step")]
        assert [line["loss"] for line in run.lines("step")] == pytest.approx(expected, rel=1e-3)
        assert machine_of(run).compile
