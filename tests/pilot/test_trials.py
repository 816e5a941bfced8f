"""Which trials answer the question, in which order, and what the budget leaves of them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_up_results import pilot_of

from pilotlight.errors import EvidenceError
from pilotlight.pilot.adaptive import opening
from pilotlight.pilot.search import narrowed
from pilotlight.pilot.trials import FRESH, confirmation, schedule, wanted
from pilotlight.pilot.tune import round_of
from pilotlight.record.results import BASELINE
from pilotlight.units import read_seconds
from tiny_pilot import calibration_of


def names(trials) -> list[str]:
    return [trial.name for trial in trials]


def test_the_ladder_of_the_baseline_comes_first_smallest_first():
    found = names(wanted(pilot_of()))
    assert found[:5] == [f"baseline/{rung}/seed0" for rung in ("100k-1M", "100k-4M", "300k-3M", "300k-9M", "1M-10M")]


def test_every_variant_stands_beside_the_baseline_seed_by_seed():
    found = names(wanted(pilot_of(scales=[{"parameters": "100k", "tokens": "1M"}], seeds=2, repeats=1)))
    assert found == [
        "baseline/100k-1M/seed0", "half_lr/100k-1M/seed0", "gelu/100k-1M/seed0", "baseline/100k-1M/seed0-batches",
        "baseline/100k-1M/seed1", "half_lr/100k-1M/seed1", "gelu/100k-1M/seed1",
    ]  # fmt: skip


def test_a_rung_for_the_law_alone_trains_no_variant_and_may_have_fewer_seeds():
    scales = [
        {"parameters": "100k", "tokens": "1M"},
        {"parameters": "1M", "tokens": "9M", "seeds": 1, "baseline_only": True},
    ]
    found = names(wanted(pilot_of(scales=scales)))
    assert [name for name in found if "1M-9M" in name] == ["baseline/1M-9M/seed0"]


def test_tuned_searched_and_begun_is_at_the_lowest_rung_that_trains_variants():
    scales = [
        {"parameters": "100k", "tokens": "1M", "baseline_only": True},
        {"parameters": "300k", "tokens": "3M", "seeds": 1},
        {"parameters": "100k", "tokens": "4M"},
    ]
    space = {"train.optim.lr": {"low": 1e-3, "high": 1e-2}}
    pilot = pilot_of(scales=scales, seeds=4, tune={}, search={"space": space}, allocation="adaptive")
    assert [scale.name for scale in pilot.compared] == ["100k-4M", "300k-3M"]
    assert [pilot.seeds_at(scale) for scale in pilot.scales] == [4, 1, 4]
    tuning = round_of(pilot)
    assert tuning is not None
    assert {trial.scale for trial in tuning.trials} == {"100k-4M"}
    assert narrowed(pilot).scales == (pilot.lowest,)
    assert {trial.scale for trial in opening(pilot) if trial.variant != BASELINE} == {pilot.lowest.name} == {"100k-4M"}
    alone = pilot_of(scales=[scale | {"baseline_only": True} for scale in scales], variants={})
    assert (alone.compared, alone.lowest.name) == ((), "100k-1M")


ladders = st.lists(
    st.fixed_dictionaries({
        "parameters": st.sampled_from([1e5, 2e5, 4e5]), "tokens": st.sampled_from([1e6, 2e6, 3e6]),
        "seeds": st.none() | st.integers(1, 4), "baseline_only": st.booleans(),
    }),
    min_size=1, max_size=4, unique_by=lambda rung: (rung["parameters"], rung["tokens"]),
)  # fmt: skip


@settings(deadline=None, max_examples=60)
@given(ladders, st.integers(1, 4), st.integers(0, 9), st.floats(0.01, 3.0))
def test_whatever_the_budget_leaves_is_a_whole_comparison(ladder, seeds, repeats, share):
    ladder[0]["baseline_only"] = False
    pilot = pilot_of(scales=ladder, seeds=seeds, repeats=repeats)
    everything = wanted(pilot)
    assert len(set(names(everything))) == len(everything)
    calibration = calibration_of(pilot)
    whole = sum(calibration.price(trial.scale, pilot_of(budget={"flops": 1.0}).budget) for trial in everything)
    pilot = pilot_of(scales=ladder, seeds=seeds, repeats=repeats, budget={"flops": max(1.0, whole * share)})
    try:
        found = schedule(pilot, calibration)
    except EvidenceError:
        return
    inside = list(found.inside)
    assert sorted(names([*inside, *found.left_out])) == sorted(names(everything))
    assert sum(calibration.price(trial.scale, pilot.budget) for trial in inside) <= whole * share
    kept = {(trial.variant, trial.scale, trial.seed) for trial in inside if not trial.repeat}
    for trial in inside:
        assert ("baseline", trial.scale, trial.seed) in kept, f"{trial.name} has no partner"


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 3), st.integers(0, 9))
def test_every_repeat_is_a_plan_of_its_own_that_differs_in_the_order_of_the_data_alone(seeds, repeats):
    pilot = pilot_of(seeds=seeds, repeats=repeats, scales=[{"parameters": "100k", "tokens": "1M"}])
    found = [trial for trial in wanted(pilot) if trial.repeat]
    assert len(found) == repeats
    plans = [trial.plan(pilot) for trial in found]
    assert len({plan.seed_of("batches") for plan in plans}) == repeats
    for trial, plan in zip(found, plans, strict=True):
        partner = pilot.plan("baseline", trial.scale, trial.seed)
        assert plan.seed_of("weights") == partner.seed_of("weights")
        assert plan.model_copy(update={"reseed": {}}) == partner


def test_a_budget_in_time_becomes_flops_by_the_calibration_alone():
    pilot = pilot_of(budget={"time": "2 min"})
    for seconds in (1e-3, 2e-3, 5e-3):
        calibration = calibration_of(pilot, workers=2, seconds=seconds)
        found = schedule(pilot, calibration)
        assert found.inside
        assert found.left_out
        assert calibration.everything(list(found.inside)) <= 120
        assert schedule(pilot, calibration) == found


def test_a_budget_below_one_trial_says_what_would_do():
    pilot = pilot_of(budget={"time": "1 s"})
    with pytest.raises(EvidenceError, match=r"budget of 1.0 s does not pay for one trial.*Raise budget.time to about"):
        schedule(pilot, calibration_of(pilot))


def test_part_of_the_budget_is_kept_for_confirming_winners():
    pilot, without = pilot_of(budget={"time": "100 s"}), pilot_of(budget={"time": "100 s"}, confirm=0)
    calibration = calibration_of(pilot, seconds=2e-3)
    assert len(schedule(pilot, calibration).inside) < len(schedule(without, calibration).inside)


def test_the_advised_budget_pays_for_every_trial():
    pilot = pilot_of(budget={"time": "1 s"})
    calibration = calibration_of(pilot)
    with pytest.raises(EvidenceError) as error:
        schedule(pilot, calibration)
    advised = read_seconds(str(error.value).partition("budget.time to about ")[2].partition(" for all")[0])
    assert not schedule(pilot_of(budget={"time": advised}), calibration).left_out


def test_winners_are_confirmed_on_seeds_that_did_not_choose_them():
    pilot = pilot_of(confirm=2)
    calibration = calibration_of(pilot)
    found = confirmation(pilot, calibration, ["gelu"], "100k-1M", reserve=1e30)
    assert names(found) == [
        f"{variant}/100k-1M/seed{seed}" for seed in (FRESH, FRESH + 1) for variant in ("baseline", "gelu")
    ]
    assert {trial.round for trial in found} == {"confirmation"}
    assert not {trial.seed for trial in found} & {trial.seed for trial in wanted(pilot)}
    assert confirmation(pilot, calibration, [], "100k-1M", reserve=1e30) == []
    one_seed = 2.5 * calibration.price("100k-1M", pilot.budget)
    assert names(confirmation(pilot, calibration, ["gelu"], "100k-1M", one_seed)) == names(found)[:2]


def test_samples_of_the_text_come_last_and_redraw_the_documents_alone():
    pilot = pilot_of(seeds=2, samples=3, scales=[{"parameters": "100k", "tokens": "1M"}])
    found = wanted(pilot)[-3:]
    assert [trial.repeat for trial in found] == ["sample", "sample", "sample1"]
    plans = [trial.plan(pilot) for trial in found]
    assert [set(plan.reseed) for plan in plans] == [{"sample"}] * 3
    assert len({plan.reseed["sample"] for plan in plans}) == 3
    assert {plan.seed_of("batches") for plan in plans} == {0, 1}
