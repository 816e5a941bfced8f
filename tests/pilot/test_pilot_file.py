"""The pilot file: one way from (variant, scale, seed) to a plan, and a hash that fixes the question."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_up_results import pilot_of

from pilotlight.errors import ConfigError
from pilotlight.pilot.pilot import Pilot
from pilotlight.spec import diff
from tiny_pilot import write_plan

ROOT = Path(__file__).parents[2]


def test_the_same_question_gives_the_same_plan_and_another_seed_another():
    pilot = pilot_of()
    assert pilot.plan("gelu", "100k-1M", 1) == pilot_of().plan("gelu", "100k-1M", 1)
    assert diff(pilot.plan("gelu", "100k-1M", 1), pilot.plan("gelu", "100k-1M", 2)) == {"seed": (1, 2)}


def test_a_variant_differs_from_the_baseline_in_what_it_sets_and_nothing_else():
    pilot = pilot_of()
    changed = diff(pilot.plan("baseline", "100k-1M", 0), pilot.plan("half_lr", "100k-1M", 0))
    assert changed == {"train.optim.lr": (pilot.train.optim.lr, pilot.train.optim.lr / 2)}


def test_asking_for_plans_leaves_the_pilot_as_it_was():
    pilot = pilot_of()
    before = pilot.model_dump_json()
    for variant in ("baseline", *pilot.variants):
        pilot.plan(variant, "300k-3M", 0)
    pilot.full_plan(("gelu",))
    assert pilot.model_dump_json() == before


def test_a_plan_has_the_size_and_length_of_its_rung():
    from pilotlight.model.size import measure

    pilot = pilot_of()
    for scale in pilot.scales:
        plan = pilot.plan("baseline", scale, 0)
        assert plan.tokens == pytest.approx(scale.tokens, rel=0.01)
        assert measure(plan.model, 257, 64).parameters == pytest.approx(scale.parameters, rel=0.5)
        assert plan.train.precision != "auto"


def test_the_full_run_holds_every_adopted_change():
    plan = pilot_of().full_plan(("gelu", "half_lr"))
    assert plan.model.feedforward.kind == "gelu"
    assert plan.train.optim.lr == pilot_of().train.optim.lr / 2
    assert plan.tokens == pytest.approx(30e6, rel=0.01)


def test_a_kind_is_set_before_the_settings_that_belong_to_it():
    pilot = pilot_of(variants={"sgd": {"set": {"train.optim.momentum": 0.8, "train.optim.kind": "sgd"}}})
    optim = pilot.variant("sgd").train.optim
    assert (optim.kind, optim.momentum) == ("sgd", 0.8)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda pilot: pilot.plan("gelo", "100k-1M", 0), "no variant is called 'gelo'.*Did you mean 'gelu'"),
        (lambda pilot: pilot.plan("gelu", "10M-1B", 0), "no scale is called '10M-1B'; known are 100k-1M"),
    ],
)
def test_what_does_not_exist_is_named_with_what_does(ask, words):
    with pytest.raises(ConfigError, match=words):
        ask(pilot_of())


def test_the_criteria_change_with_every_setting_but_not_with_the_place_of_the_text(tmp_path):
    (tmp_path / "a" / "texts").mkdir(parents=True)
    (tmp_path / "b" / "texts").mkdir(parents=True)
    plans = [Pilot.load(write_plan(tmp_path / place / "plan.yaml", Path("texts"))) for place in "ab"]
    assert plans[0].corpus.sources[0].path == tmp_path / "a" / "texts"  # type: ignore[attr-defined]
    assert plans[0].criteria == plans[1].criteria
    base = pilot_of().criteria
    changes = (
        {"seeds": 4},
        {"rule": {"worth": 0.01}},
        {"goal": {"target": 1.7}},
        {"budget": {"time": 7}},
        {"question": "Why?"},
    )
    assert len({base, *(pilot_of(**change).criteria for change in changes)}) == 6


def test_a_pilot_survives_the_trip_through_its_own_json():
    pilot = pilot_of()
    again = Pilot.model_validate_json(pilot.model_dump_json())
    assert again == pilot
    assert again.criteria == pilot.criteria


def test_every_example_plan_loads_and_can_be_planned():
    paths = sorted((ROOT / "pilots").glob("*.yaml"))
    assert paths
    for path in paths:
        pilot = Pilot.load(path)
        for name in ("baseline", *pilot.variants):
            assert pilot.plan(name, pilot.scales[0], 0).steps > 0


def test_the_schema_knows_every_field_and_kind():
    schema = json.dumps(Pilot.model_json_schema())
    for word in ("bits_per_byte", "baseline_only", "relu_squared", "adamw", "python_library", "head_dim"):
        assert word in schema


def test_a_receipt_and_texts_are_found_beside_the_plan_from_anywhere(tmp_path, tiny_text, monkeypatch):
    (tmp_path / "receipt.json").write_text("{}", encoding="utf-8")
    path = write_plan(tmp_path / "plan.yaml", tiny_text, goal={"hardware": {"receipt": "receipt.json"}})
    with pytest.raises(ConfigError, match=f"{tmp_path}/receipt.json is no receipt"):
        Pilot.load(path)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"model.position": {"kind": "learned", "longest": 8}}, "variants.odd: .*longest is 8.* raise it to"),
        ({"model.mixer": {"kind": "grouped", "head_dim": 4096}}, "variants.odd: no shape comes near"),
    ],
)
def test_a_variant_that_cannot_be_built_is_named(change, words):
    pilot = pilot_of(variants={"odd": {"set": change}})
    with pytest.raises(ConfigError, match=words):
        pilot.check_shapes()
