"""Plans: what decides the weights."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import ValidationError
from training_examples import plan_of

from pilotlight.errors import ConfigError
from pilotlight.spec import fingerprint, plain
from pilotlight.train.plan import Plan


def test_a_plan_survives_json():
    plan = plan_of(reseed={"batches": 3})
    assert Plan.model_validate(plain(plan)) == plan


def test_a_plan_file_names_what_is_wrong_with_its_line(tmp_path):
    file = tmp_path / "full.yaml"
    file.write_text(
        "corpus: {}\ntokenizer: bytes\nmodel: {depth: 1, width: 64}\nsteps: 10\ntrain:\n  optim: {kind: adamv}\n"
    )
    with pytest.raises(ConfigError, match=r"full\.yaml:6.*adamw"):
        Plan.load(file)


def test_learning_rates_are_read_as_people_write_them(tmp_path):
    file = tmp_path / "full.yaml"
    file.write_text(
        "corpus: {}\ntokenizer: bytes\nmodel: {depth: 1, width: 64}\nsteps: 10\ntrain: {optim: {kind: adamw, lr: 3e-4}}\n"
    )
    assert Plan.load(file).train.optim.lr == 3e-4


def test_an_unknown_stream_cannot_be_reseeded():
    with pytest.raises(ValidationError, match="Did you mean 'batches'"):
        plan_of(reseed={"batch": 3})


def test_a_reseeded_stream_has_its_own_seed_and_the_others_keep_theirs():
    plan = plan_of(seed=5, reseed={"batches": 9})
    assert plan.seed_of("batches") == 9
    assert plan.seed_of("weights") == 5


@pytest.mark.parametrize(
    ("device", "instructions", "precision"),
    [("cpu", False, "float32"), ("cpu", True, "bfloat16"), ("cuda", False, "bfloat16"), ("cuda:1", True, "bfloat16")],
)
def test_automatic_precision_follows_the_device(device, instructions, precision, monkeypatch):
    monkeypatch.setattr("pilotlight.train.plan.multiplies_bfloat16", lambda: instructions)
    assert plan_of(precision="auto").resolved(device).train.precision == precision


def test_a_named_precision_stays():
    assert plan_of(precision="bfloat16").resolved("cpu").train.precision == "bfloat16"


def test_where_the_text_lies_is_no_part_of_the_identity():
    plan = plan_of()
    moved = plan.model_copy(update={"corpus": plan.corpus.model_copy(update={"held_out": 0.02})})
    assert fingerprint(plan.identity()) == fingerprint(moved.identity())
    assert fingerprint(plan.identity()) != fingerprint(plan_of(seed=2).identity())


def test_ten_evaluations_are_made_unless_the_plan_says_otherwise():
    assert plan_of(steps=500, evaluate_every=None).evaluate_every == 50
    assert plan_of(steps=3, evaluate_every=None).evaluate_every == 1
    assert plan_of(steps=500, evaluate_every=7).evaluate_every == 7


def test_reading_a_plan_needs_no_torch():
    code = "import sys, pilotlight.train.plan, pilotlight.train.machine as m; m.Machine(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("part", "changes", "said"),
    [
        ("model", {"softcap": float("inf")}, "finite number"),
        ("model", {"feedforward": {"kind": "swiglu", "expansion": float("inf")}}, "finite number"),
        ("model", {"position": {"kind": "learned", "longest": 8}}, r"longest is 8, but rows have 24 .* raise it to 24"),
        ("model", {"position": {"kind": "rotary", "stretch": {"factor": 2, "low": 4, "high": 4}}}, "not below high"),
        ("train", {"optim": {"kind": "muon", "betas": [0.9, 1.0]}}, "less than 1"),
        ("train", {"optim": {"kind": "lion", "betas": [-0.1, 0.9]}}, "greater than or equal to 0"),
        ("train", {"guard": {"window": 16, "first": 32}}, "no step would be flagged"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_anything_is_built(part, changes, said):
    settings = plain(plan_of())
    with pytest.raises(ValidationError, match=said):
        Plan.model_validate(settings | {part: settings[part] | changes})


@pytest.mark.parametrize("kind", ["swiglu", "geglu", "gelu", "relu_squared", "experts"])
def test_a_feed_forward_keeps_a_unit_however_small_it_is_asked_to_be(kind):
    settings = plain(plan_of().model)
    model = type(plan_of().model).model_validate(settings | {"feedforward": {"kind": kind, "expansion": 0.001}})
    assert all(parameter.numel() for parameter in model.build(16).parameters())
