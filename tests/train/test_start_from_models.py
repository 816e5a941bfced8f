"""Starts from weights and off other runs: what is taken over, what is refused."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file
from training_examples import ONE, Words, digest, plan_of

from pilotlight.errors import ConfigError, RecordError
from pilotlight.plan_file import override
from pilotlight.spec import fingerprint, plain
from pilotlight.tokens.pack import pack
from pilotlight.tokens.tokenizers.bpe import BPE
from pilotlight.train.final import open_model
from pilotlight.train.loop import train
from pilotlight.train.plan import Plan

CONSTANT = {"kind": "constant", "warmup": 0.25}
KEPT = ONE.model_copy(update={"milestone_every": 4})


@pytest.fixture(scope="module")
def trunk(tokens, tmp_path_factory):
    return train(plan_of(steps=8, schedule=CONSTANT), KEPT, tokens, tmp_path_factory.mktemp("trunk") / "run")


def first_loss(run):
    return run.lines("step")[0]["loss"]


def started(trunk, steps=3, **start):
    return plan_of(steps=steps, start={"kind": "weights", "path": trunk.folder, **start})


def changed(plan: Plan, path: str, value) -> Plan:
    return override(plan, path, value)


def test_a_plan_that_starts_at_random_is_the_plan_it_was_before_there_was_a_choice():
    assert "start" not in plan_of().identity()["train"]
    assert fingerprint(plan_of().identity()) == fingerprint(plan_of(start={"kind": "random"}).identity())


def test_a_run_goes_on_from_the_weights_of_another(trunk, tokens, tmp_path):
    run = train(started(trunk), ONE, tokens, tmp_path / "run")
    assert first_loss(run) < trunk.lines("step")[-1]["loss"] + 0.1 < trunk.lines("step")[0]["loss"]
    assert run.manifest.facts == {"start_flops": trunk.facts.flops}
    assert run.facts.tokens == 3 * 4 * 24


def test_other_weights_make_another_run(trunk, tokens, tmp_path):
    other = train(plan_of(steps=2), ONE, tokens, tmp_path / "other")
    plans = [started(trunk), started(other)]
    assert len({fingerprint(plan.identity()) for plan in plans}) == 2
    run = train(plans[0], ONE, tokens, tmp_path / "run")
    with pytest.raises(RecordError, match="made from other settings or other input"):
        train(plans[1], ONE, tokens, run.folder)


@pytest.mark.parametrize(
    ("size", "start", "exact"),
    [
        ({"model.width": 64}, {}, True),
        ({"model.depth": 3}, {"depth": "silent"}, True),
        ({"model.depth": 2}, {"depth": "stack"}, False),
    ],
)
def test_a_larger_model_starts_from_a_smaller_one(size, start, exact, trunk, tokens, tmp_path):
    plan = started(trunk, **start)
    for path, value in size.items():
        plan = changed(plan, path, value)
    run = train(plan, ONE, tokens, tmp_path / "run")
    plain_run = train(started(trunk), ONE, tokens, tmp_path / "plain")
    assert (abs(first_loss(run) - first_loss(plain_run)) < 1e-4) == exact
    assert run.facts.total_parameters > trunk.facts.total_parameters


def test_another_depth_without_a_rule_and_another_part_are_refused(trunk, tokens, tmp_path):
    for path, value, words in (
        ("model.depth", 2, "say how they become more"),
        ("model.softcap", 9.0, r"model.softcap: null, not 9.0"),
    ):
        with pytest.raises(ConfigError, match=words):
            train(changed(started(trunk), path, value), ONE, tokens, tmp_path / path)


def test_a_plan_that_was_refused_can_be_corrected_and_trained_in_the_same_folder(trunk, tokens, tmp_path):
    wrong = changed(started(trunk), "model.depth", 2)
    with pytest.raises(ConfigError, match="say how they become more"):
        train(wrong, ONE, tokens, tmp_path / "run")
    run = train(changed(wrong, "train.start.depth", "stack"), ONE, tokens, tmp_path / "run")
    assert json.loads((run.folder / "plan.json").read_text())["train"]["start"]["depth"] == "stack"


@pytest.fixture(scope="module")
def other_tokens(tmp_path_factory):
    return pack(Words(), BPE(vocabulary=280), tmp_path_factory.mktemp("bpe") / "tokens")


def test_another_tokenizer_is_refused_unless_ids_are_to_be_matched(trunk, tokens, other_tokens, tmp_path):
    plan = started(trunk).model_copy(update={"tokenizer": BPE(vocabulary=280)})
    with pytest.raises(ConfigError, match=r"another tokenizer: 257 of \d+ ids"):
        train(plan, ONE, other_tokens, tmp_path / "refused")
    matched = changed(plan, "train.start.tokenizer", "matched")
    run = train(changed(matched, "train.optim.lr", 1e-9), ONE, other_tokens, tmp_path / "run")
    old, _ = open_model(trunk.folder)
    new, encoder = open_model(run.folder)
    byte = int(encoder.encode("Q")[0])
    torch.testing.assert_close(new.embedding[byte], old.embedding[ord("Q")], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(new.embedding[encoder.end], old.embedding[256], atol=1e-5, rtol=1e-4)
    learnt = next(id for id in range(encoder.vocabulary) if len(encoder.decode([id])) > 1)
    torch.testing.assert_close(new.embedding[learnt], old.embedding.mean(0), atol=1e-5, rtol=1e-4)


def test_a_damaged_source_is_refused(trunk, tokens, tmp_path):
    shutil.copytree(trunk.folder, tmp_path / "trunk")
    file = tmp_path / "trunk" / "model" / "model.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    plan = changed(started(trunk), "train.start.path", str(tmp_path / "trunk"))
    with pytest.raises(RecordError, match="differs from its manifest"):
        train(plan, ONE, tokens, tmp_path / "run")


def test_a_folder_without_a_model_is_refused_with_what_is_expected(tokens, tmp_path):
    with pytest.raises(ConfigError, match="holds no model to start from"):
        train(plan_of(start={"kind": "weights", "path": tmp_path}), ONE, tokens, tmp_path / "run")


COOLDOWN = {"kind": "cooldown", "warmup": 0.25, "trunk_steps": 8, "first": 4}


def branch_of(trunk, steps=7, step=4, **train_settings):
    settings = {"schedule": COOLDOWN, "start": {"kind": "branch", "path": trunk.folder, "step": step}}
    return plan_of(steps=steps, **settings | train_settings)


def test_a_cool_down_branch_is_the_run_that_had_cooled_down_from_there_all_along(trunk, tokens, tmp_path):
    branch = train(branch_of(trunk), ONE, tokens, tmp_path / "branch")
    whole = train(plan_of(steps=7, schedule=COOLDOWN), ONE, tokens, tmp_path / "whole")
    same = ("model/model.safetensors", "scores.jsonl", "run.json")
    ours, theirs = (json.loads((run.folder / "run.json").read_text()) for run in (branch, whole))
    assert {**ours, "fingerprint": ""} == {**theirs, "fingerprint": ""}
    assert [digest(branch.folder)[name] for name in same[:2]] == [digest(whole.folder)[name] for name in same[:2]]
    assert branch.lines("step") == whole.lines("step")
    assert branch.facts.tokens == whole.facts.tokens == 7 * 4 * 24


def test_a_branch_takes_over_the_optimiser(trunk, tokens, tmp_path):
    branch = train(branch_of(trunk, steps=5), ONE, tokens, tmp_path / "branch")
    weights = started(trunk, steps=1)
    shutil.copytree(trunk.folder, tmp_path / "bare")
    fresh = train(weights, ONE, tokens, tmp_path / "fresh")
    moments = [
        load_file(next((run.folder / "checkpoints").glob("step-*")) / "optim.safetensors") for run in (branch, fresh)
    ]
    counts = [float(next(value for name, value in found.items() if name.endswith("/step"))) for found in moments]
    assert counts == [5.0, 1.0]


def test_the_last_checkpoint_is_taken_where_none_is_named(trunk, tokens, tmp_path):
    branch = train(
        branch_of(trunk, steps=9, step=None, schedule=CONSTANT | {"warmup": 2 / 9}), ONE, tokens, tmp_path / "b"
    )
    assert branch.lines("step")[:8] == trunk.lines("step")
    assert branch.facts.steps == 9


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"train.start.step": 5}, "no checkpoint of step 5; there are those of steps 4, 8"),
        ({"train.optim.lr": 0.1}, r"train.optim.lr: 0.01 -> 0.1"),
        ({"seed": 3}, "seed: 1 -> 3"),
        ({"steps": 4, "train.schedule": {"kind": "constant"}}, "steps is 4, and the checkpoint"),
    ],
)
def test_what_is_no_continuation_is_refused(changes, words, trunk, tokens, tmp_path):
    plan = branch_of(trunk)
    for path in sorted(changes, reverse=True):
        plan = changed(plan, path, changes[path])
    with pytest.raises((ConfigError, RecordError), match=words):
        train(plan, ONE, tokens, tmp_path / "run")


def test_a_branch_on_other_text_is_refused_with_the_way_to_do_it(trunk, other_tokens, tmp_path):
    with pytest.raises(RecordError, match="start from its weights"):
        train(branch_of(trunk), ONE, other_tokens, tmp_path / "run")


def test_a_run_that_has_to_start_over_starts_over_from_its_start(trunk, tokens, tmp_path):
    from pilotlight.events import silent
    from pilotlight.train.loop import _prepare
    from pilotlight.train.start import start_over

    for plan, step in ((started(trunk), 0), (branch_of(trunk), 4)):
        name = hashlib.md5(json.dumps(plain(plan)).encode()).hexdigest()
        (tmp_path / name).mkdir()
        job, state = _prepare(plan, ONE.resolve(), tokens, tmp_path / name, silent, "0" * 16, ((), None))
        before = {key: value.clone() for key, value in state.model.state_dict().items()}
        for parameter in state.model.parameters():
            parameter.data.zero_()
        state.step = 99
        start_over(job, state)
        assert state.step == step
        assert all(torch.equal(value, before[key]) for key, value in state.model.state_dict().items())
        state.log.close()
