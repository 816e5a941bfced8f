"""The audit: every difference between the pilots and the full run is found, and classed as what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from made_up_results import World, decision_of, loss, pilot_of, results_of

from pilotlight.pilot.fidelity import Training, audit
from pilotlight.record.decision import Launch
from pilotlight.record.fidelity import FidelityAudit, FidelityRow
from pilotlight.spec import plain
from tiny_pilot import merged

TARGET = loss(3e6, 30e6) * 1.05


def training(parameters: float, tokens: float, variant: str = "baseline", **settings: Any) -> Training:
    """Return a training of a small plan with ``settings`` merged into it."""
    plan = merged({
        "model": {"depth": 2, "width": 64, "parametrisation": "completep", "dropout": 0.0},
        "train": {"rows": 8, "context": 64, "precision": "float32", "optim": {"kind": "adamw", "lr": 1e-3, "weight_decay": 0.1},
                  "schedule": {"kind": "wsd", "warmup": 0.05}, "order": {"kind": "shuffled"}},
        "steps": round(tokens / 512), "seed": 0, "tokenizer": {"kind": "bpe", "vocabulary": 512},
    }, settings)  # fmt: skip
    return Training(variant, f"{parameters:g}-{tokens:g}", plan, parameters, tokens, tokens / 1e8)


LADDER = (training(1e5, 1e6), training(1e5, 4e6, seed=1), training(3e5, 3e6, model={"width": 96}))


def rows(found: FidelityAudit) -> Mapping[str, FidelityRow]:
    return {row.setting: row for row in found.rows}


def of_full(told: Mapping[str, str] | None = None, more: tuple[Training, ...] = (), **settings: Any) -> FidelityAudit:
    full = training(1e6, settings.pop("tokens", 1e7), **merged({"model": {"width": 128, "depth": 3}}, settings))
    return audit([*LADDER, *more], full, told or {})


def test_size_and_length_are_scaled_by_rule_and_seeds_are_harmless():
    found = rows(of_full(seed=7))
    kinds = {name: row.kind for name, row in found.items()}
    assert kinds == {
        "model.depth": "scaled by rule", "model.width": "scaled by rule", "steps": "scaled by rule", "seed": "harmless",
        "memory of weight decay, as a share of the run": "confound", "tokens per parameter": "scaled by rule",
        "epochs": "harmless",
    }  # fmt: skip
    assert found["model.width"].pilot == {"100000-1e+06": 64, "100000-4e+06": 64, "300000-3e+06": 96}
    assert found["model.width"].full == 128
    assert not of_full(seed=7).open


@pytest.mark.parametrize(("settings", "path"), [
    ({"train": {"precision": "bfloat16"}}, "train.precision"),
    ({"train": {"context": 128}}, "train.context"),
    ({"model": {"dropout": 0.1}}, "model.dropout"),
    ({"tokenizer": {"vocabulary": 1024}}, "tokenizer.vocabulary"),
    ({"train": {"optim": {"lr": 2e-3}}}, "train.optim.lr"),
    ({"train": {"schedule": {"warmup": 0.01}}}, "train.schedule.warmup"),
    ({"train": {"order": {"kind": "curriculum"}}}, "train.order.kind"),
    ({"train": {"rows": 16}}, "train.rows"),
])  # fmt: skip
def test_what_nothing_scales_is_an_open_confound_and_stands_first(settings, path):
    found = of_full(**settings)
    row = rows(found)[path]
    assert (row.kind, row.is_open) == ("confound", True)
    assert row.way_out
    assert found.rows[0].is_open
    assert row in found.open


def test_a_setting_that_one_training_had_otherwise_is_found():
    other = replace(LADDER[0], plan=merged(LADDER[0].plan, {"train": {"precision": "bfloat16"}}))
    full = training(1e6, 1e7)
    row = rows(audit([*LADDER, other], full, {}))["train.precision"]
    assert row.pilot["100000-1e+06"] == ["float32", "bfloat16"]
    assert row.is_open


def test_what_a_variant_was_trained_with_counts_as_measured_if_its_effect_is_known():
    settings = {"train": {"precision": "bfloat16"}}
    tried = training(3e5, 3e6, variant="half", **settings)
    assert rows(of_full({}, (tried,), **settings))["train.precision"].is_open
    row = rows(of_full({"half": "it makes no difference that matters"}, (tried,), **settings))["train.precision"]
    assert (row.kind, row.is_open) == ("measured", False)
    assert "half" in row.because


@pytest.mark.parametrize(("settings", "is_open"), [
    ({"model": {"parametrisation": "completep"}}, False), ({"model": {"parametrisation": "standard"}}, True),
    ({"train": {"optim": {"kind": "sgd"}}}, True),
])  # fmt: skip
def test_rates_follow_the_size_only_where_a_rule_says_how(settings, is_open):
    ladder = [replace(one, plan=merged(one.plan, settings)) for one in LADDER]
    found = audit(ladder, training(1e6, 1e7, **merged({"model": {"width": 128}}, settings)), {})
    assert rows(found)["model.width"].is_open is is_open


@pytest.mark.parametrize(("tokens", "kind", "is_open"), [
    (2e7, "scaled by rule", False), (4e7, "scaled by rule", False), (9e7, "confound", False), (2e8, "confound", True),
    (2e6, "confound", True),
])  # fmt: skip
def test_tokens_per_parameter_may_lie_as_far_outside_as_the_ladder_lets_one_see(tokens, kind, is_open):
    row = rows(of_full(tokens=tokens, train={"optim": {"weight_decay": 0.0}}))["tokens per parameter"]
    assert (row.kind, row.is_open) == (kind, is_open)
    if is_open:
        assert "add a rung" in row.way_out


def test_a_ladder_of_one_ratio_lets_one_see_no_other():
    ladder = [training(1e5, 2e6), training(3e5, 6e6), training(6e5, 1.2e7)]
    assert "tokens per parameter" not in rows(audit(ladder, training(1e6, 2e7), {}))
    assert rows(audit(ladder, training(1e6, 4e7), {}))["tokens per parameter"].is_open


@pytest.mark.parametrize(("epochs", "kind", "is_open"), [
    (0.9, "harmless", False), (3.0, "harmless", False), (6.0, "confound", True),
])  # fmt: skip
def test_repetition_beyond_what_was_tried_and_what_is_free_is_a_confound(epochs, kind, is_open):
    row = rows(audit(LADDER, replace(training(1e6, 1e7), epochs=epochs), {}))["epochs"]
    assert (row.kind, row.is_open) == (kind, is_open)


def test_repetition_that_was_tried_is_no_difference():
    ladder = [replace(one, epochs=6.0) for one in LADDER]
    assert "epochs" not in rows(audit(ladder, replace(training(1e6, 1e7), epochs=6.0), {}))


@pytest.mark.parametrize(
    ("decay", "kind", "is_open"), [(1e-4, "harmless", False), (0.1, "confound", False), (3.0, "confound", False)]
)
def test_decay_at_every_step_acts_more_in_longer_runs(decay, kind, is_open):
    settings = {"train": {"optim": {"weight_decay": decay}}}
    ladder = [replace(one, plan=merged(one.plan, settings)) for one in LADDER]
    row = rows(audit(ladder, training(1e6, 1e7, **settings), {}))["memory of weight decay, as a share of the run"]
    assert (row.kind, row.is_open) == (kind, is_open)


def test_decay_that_no_pilot_felt_and_the_full_run_does_is_open():
    row = rows(audit(LADDER, training(1e6, 1e8), {}))["memory of weight decay, as a share of the run"]
    assert row.is_open
    assert "a rung with more steps" in row.way_out
    assert min(row.pilot.values()) > 1 > 0.25 > row.full


def test_schedules_counted_in_steps_are_another_share_of_a_longer_run():
    settings = {"train": {"schedule": {"kind": "cooldown", "first": 500}}}
    ladder = [replace(one, plan=merged(one.plan, settings)) for one in LADDER]
    row = rows(audit(ladder, training(1e6, 1e7, **settings), {}))["train.schedule.first, as a share of the run"]
    assert row.is_open
    assert row.full == pytest.approx(500 / 19531, rel=0.01)


def test_a_mixture_that_follows_the_length_is_a_confound():
    settings = {"train": {"order": {"kind": "mixture", "most_epochs": 4.0}}}
    ladder = [replace(one, plan=merged(one.plan, settings)) for one in LADDER]
    assert rows(audit(ladder, training(1e6, 1e7, **settings), {}))["mixture by train.order.most_epochs"].is_open


def test_without_a_baseline_there_is_nothing_to_compare():
    assert audit([], training(1e6, 1e7), {}) == FidelityAudit()


def test_the_plans_as_they_were_trained_count_and_an_open_confound_forbids_a_go():
    pilot, results = pilot_of(goal={"target": TARGET}), results_of(pilot_of(goal={"target": TARGET}))
    clean = decision_of(pilot)
    assert clean.launch is Launch.GO
    assert not clean.fidelity.open
    assert clean.fidelity.compared == sum(row.variant == "baseline" for row in results.rows)
    row = results.ladder()[0]
    trained = plain(pilot.plan("baseline", row.scale, row.seed, row.repeat))
    trained["train"]["clip"]["largest"] = 7.0
    found = decision_of(pilot, plans={row.name: trained})
    assert found.launch is Launch.MORE_EVIDENCE
    assert [item.setting for item in found.fidelity.open] == ["train.clip.largest"]
    (check,) = (check for check in found.checks if check.name == "fidelity")
    assert check.status == "unknown"
    assert check.evidence is not None
    assert any(text.startswith("fidelity: ") for text in found.would_change)


def test_an_adopted_change_is_measured_and_no_confound():
    found = decision_of(pilot_of(goal={"target": TARGET}), World(effects={"half_lr": -0.04}))
    assert found.adopted == ("half_lr",)
    row = rows(found.fidelity)["train.optim.lr"]
    assert (row.kind, row.is_open) == ("measured", False)
    assert found.launch is Launch.GO_WITH_CHANGES
