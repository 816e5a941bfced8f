"""The launch: every word follows from the declared criteria, and from nothing else."""

from __future__ import annotations

import pytest
from made_up_results import LADDER, World, decision_of, loss, pilot_of, results_of

from pilotlight.record.decision import Decision, Finding, Launch
from pilotlight.record.results import Results
from pilotlight.scaling.predict import predict
from pilotlight.scaling.table import ladder_points
from pilotlight.spec import fingerprint

TRUTH = loss(3e6, 30e6)
GOOD = World(effects={"half_lr": -0.04})


def half_lr(decision: Decision) -> Finding:
    return next(item for item in decision.findings if item.variant == "half_lr")


def check(decision: Decision, name: str) -> str:
    return next(item.status for item in decision.checks if item.name == name)


def test_everything_passes_and_nothing_changed_is_a_go():
    decision = decision_of(pilot_of(goal={"target": TRUTH * 1.05}))
    assert decision.launch is Launch.GO
    assert {item.status for item in decision.checks} == {"pass"}
    assert decision.target.probability is not None
    assert decision.target.probability > 0.8
    assert decision.target.prediction is not None
    assert decision.target.prediction.low < TRUTH < decision.target.prediction.high


def test_an_adopted_variant_makes_it_a_go_with_changes():
    pilot = pilot_of(goal={"target": TRUTH * 1.05})
    decision = decision_of(pilot, GOOD)
    assert decision.launch is Launch.GO_WITH_CHANGES
    verdicts = {item.variant: str(item.verdict) for item in decision.findings}
    assert verdicts["half_lr"] == "ADOPT"
    assert verdicts["gelu"] != "ADOPT"
    finding = next(item for item in decision.findings if item.variant == "half_lr")
    assert finding.changes == {"train.optim.lr": (pilot.train.optim.lr, pilot.train.optim.lr / 2)}
    assert finding.confirmation is not None
    assert decision.target.prediction.value < decision.target.baseline.value
    width = decision.target.prediction.high / decision.target.prediction.low
    assert width > decision.target.baseline.high / decision.target.baseline.low, "a carried-over effect adds doubt"
    assert any("half_lr" in sentence for sentence in decision.because)


def test_a_target_far_below_is_a_no_go():
    decision = decision_of(pilot_of(goal={"target": TRUTH * 0.8}))
    assert decision.launch is Launch.NO_GO
    assert check(decision, "target") == "fail"


def test_a_target_inside_the_interval_asks_for_more_evidence():
    decision = decision_of(pilot_of(goal={"target": TRUTH}))
    assert decision.launch is Launch.MORE_EVIDENCE
    assert check(decision, "target") == "unknown"
    assert any(item.startswith("target: ") for item in decision.would_change)


def test_a_higher_confidence_is_harder_to_reach():
    pilots = [pilot_of(goal={"target": TRUTH * 1.02, "confidence": level}) for level in (0.5, 0.9999999)]
    assert check(decision_of(pilots[0]), "target") == "pass"
    assert check(decision_of(pilots[1]), "target") == "unknown"


@pytest.mark.parametrize(("limit", "status", "launch"), [
    ("1 s", "fail", Launch.NO_GO), ("22 min", "unknown", Launch.MORE_EVIDENCE), ("2 h", "pass", Launch.GO),
])  # fmt: skip
def test_the_time_limit_is_tested_against_the_slow_case(limit, status, launch):
    decision = decision_of(pilot_of(goal={"target": TRUTH * 1.016, "limits": {"time": limit}}))
    assert (check(decision, "time"), decision.launch) == (status, launch), decision.cost.seconds


def test_money_without_a_price_asks_for_one():
    decision = decision_of(pilot_of(goal={"target": TRUTH * 1.05, "limits": {"cost": "10 USD"}}))
    assert decision.launch is Launch.MORE_EVIDENCE
    assert any("price_per_hour" in item for item in decision.would_change)
    priced = {"target": TRUTH * 1.05, "limits": {"cost": "10 USD"}, "hardware": {"price_per_hour": "2 USD"}}
    assert decision_of(pilot_of(goal=priced)).launch is Launch.GO


@pytest.mark.parametrize("limits", [{}, {"time": "10 d"}, {"time": "10 d", "cost": "1000000 USD"}])
def test_an_assumed_cost_cannot_yield_a_go(limits):
    goal = {"target": TRUTH * 1.05, "hardware": {"accelerator": "H100", "count": 8}, "limits": limits}
    decision = decision_of(pilot_of(goal=goal))
    assert decision.cost.basis == "assumed"
    assert decision.launch is Launch.MORE_EVIDENCE
    assert any("pilot doctor --bench" in item for item in decision.would_change)


def test_an_assumed_cost_can_yield_a_no_go():
    goal = {"target": TRUTH * 1.05, "hardware": {"accelerator": "A6000"}, "limits": {"cost": 1e-6}}
    assert decision_of(pilot_of(goal=goal)).launch is Launch.NO_GO


@pytest.mark.parametrize(("epochs", "status"), [(1.0, "pass"), (8.0, "unknown"), (40.0, "fail")])
def test_text_repeated_too_often_stands_in_the_way(epochs, status):
    decision = decision_of(pilot_of(goal={"target": TRUTH}), World(epochs_per_token=epochs / 30e6))
    assert check(decision, "text") == status, "the target is open, so no change of the tokens is tried"


def test_a_baseline_that_fails_stands_in_the_way():
    pilot = pilot_of(goal={"target": TRUTH * 1.05})
    decision = decision_of(pilot, World(lost=("baseline/100k-1M/seed1",)))
    assert check(decision, "stability") == "fail"
    assert decision.launch is Launch.NO_GO
    assert decision_of(pilot, World(lost=("gelu/1M-10M/seed0",))).launch is Launch.GO


@pytest.mark.parametrize("world", [
    World(killed=("baseline/100k-1M/seed1",)), World(incidents={"baseline/1M-10M/seed0": 2}),
    World(effects={"half_lr": -0.04}, incidents={"half_lr/1M-10M/seed0": 1}),
    World(effects={"half_lr": -0.04}, killed=("half_lr/100k-1M/seed0",)),
])  # fmt: skip
def test_a_trial_that_was_killed_or_stumbled_leaves_stability_open_with_a_way_out(world):
    decision = decision_of(pilot_of(goal={"target": TRUTH * 1.05}), world)
    (found,) = (item for item in decision.checks if item.name == "stability")
    assert found.status == "unknown"
    assert found.way_out
    assert decision.launch is Launch.MORE_EVIDENCE


def test_incidents_of_a_variant_that_stays_out_do_not_matter():
    decision = decision_of(pilot_of(goal={"target": TRUTH * 1.05}), World(incidents={"gelu/1M-10M/seed0": 1}))
    assert check(decision, "stability") == "pass"


def test_a_variant_that_always_fails_is_told_and_not_forgotten():
    pilot = pilot_of(goal={"target": TRUTH * 1.05})
    lost = tuple(f"gelu/{scale.name}/seed{seed}" for scale in pilot.scales for seed in range(3))
    decision = decision_of(pilot, World(lost=lost))
    assert [item.variant for item in decision.findings] == ["half_lr"]
    assert any("gelu has no verdict" in item and "not finite" in item for item in decision.advice)
    assert decision.trials["failed"] == len(lost)


def test_a_winner_that_does_not_win_again_is_not_adopted():
    decision = decision_of(
        pilot_of(goal={"target": TRUTH * 1.05}), World(effects={"half_lr": -0.04}, fresh={"half_lr": 0.01})
    )
    assert str(half_lr(decision).verdict) == "UNDECIDED"
    assert decision.launch is Launch.GO
    assert decision.adopted == ()


def test_winning_again_asks_for_half_of_what_matters_and_shows_the_interval():
    world = World(effects={"half_lr": -0.04}, fresh={"half_lr": -0.001}, noise=0.0003)
    finding = half_lr(decision_of(pilot_of(), world))
    assert finding.confirmation is not None
    assert -0.0025 < finding.confirmation.value < 0
    assert str(finding.verdict) == "UNDECIDED"
    assert "did not win again" in finding.because
    again = half_lr(decision_of(pilot_of(), GOOD))
    assert str(again.verdict) == "ADOPT"
    assert "on 2 fresh seeds alone it is -" in again.because
    assert f"{100 * again.confirmation.high:+.2f} %]" in again.because
    assert "contains the seeds that selected it" in again.because


def test_the_text_counts_the_fresh_seeds_that_finished():
    world = World(effects={"half_lr": -0.04}, killed=("half_lr/1M-10M/seed1001",))
    assert "on 1 fresh seed alone" in half_lr(decision_of(pilot_of(), world)).because


def test_a_winner_of_which_a_trial_failed_is_not_adopted():
    failed = "half_lr/300k-9M/seed1"
    pilot = pilot_of(goal={"target": TRUTH * 1.05})
    world = World(effects={"half_lr": -0.04}, lost=(failed,))
    finding = half_lr(decision_of(pilot, world))
    assert str(finding.verdict) == "UNDECIDED"
    assert f"{failed}: the loss was not finite" in finding.because
    assert finding.next
    assert not [row for row in results_of(pilot, world).rows if row.round == "confirmation"], "nothing to confirm"
    late = World(effects={"half_lr": -0.04}, lost=("half_lr/1M-10M/seed1000",))
    assert str(half_lr(decision_of(pilot, late)).verdict) == "UNDECIDED"


def test_a_gain_at_one_rung_only_is_not_adopted():
    scales = [rung | {"baseline_only": index != 2} for index, rung in enumerate(LADDER)]
    finding = half_lr(decision_of(pilot_of(scales=scales), GOOD))
    assert str(finding.verdict) == "UNDECIDED"
    assert "no adoption from one size" in finding.because


def test_a_gain_that_fades_with_size_is_not_adopted():
    fading = {("half_lr", scale.name): -0.06 + 0.01 * place for place, scale in enumerate(pilot_of().scales)}
    finding = half_lr(decision_of(pilot_of(), World(at_scale=fading)))
    assert finding.comparison.p_trend < 0.05
    assert str(finding.verdict) == "UNDECIDED"
    assert "shrinks with size" in finding.because


def test_a_winner_without_confirmation_is_not_adopted_unless_none_was_asked_for():
    pilot = pilot_of(goal={"target": TRUTH * 1.05})
    main = Results(rows=tuple(row for row in results_of(pilot, GOOD).rows if row.round == "main"))
    finding = half_lr(decision_of(pilot, results=main))
    assert str(finding.verdict) == "UNDECIDED"
    assert "no confirmation run of it finished: the budget" in finding.because
    assert "budget" in finding.next
    lost = half_lr(
        decision_of(
            pilot, World(effects={"half_lr": -0.04}, killed=("baseline/1M-10M/seed1000", "baseline/1M-10M/seed1001"))
        )
    )
    assert "baseline/1M-10M/seed1000 killed (signal 9)" in lost.because
    assert "budget" not in lost.because + lost.next
    unconfirmed = pilot_of(goal={"target": TRUTH * 1.05}, confirm=0)
    assert decision_of(unconfirmed, GOOD).launch is Launch.GO_WITH_CHANGES


def test_two_sizes_cannot_carry_a_prediction_and_the_decision_says_so():
    pilot = pilot_of(scales=[{"parameters": "100k", "tokens": "1M"}])
    decision = decision_of(pilot)
    assert decision.launch is Launch.MORE_EVIDENCE
    assert decision.target.prediction is None
    assert decision.forecast is None
    assert check(decision, "target") == "unknown"


def test_without_a_second_seed_nothing_is_compared_and_nothing_breaks():
    decision = decision_of(pilot_of(seeds=1, repeats=0))
    assert decision.findings == ()
    assert decision.noise is None


def test_without_variants_the_noise_floor_is_still_measured():
    pilot = pilot_of(variants={}, goal={"target": TRUTH * 1.05})
    decision = decision_of(pilot, World(noise=0.002))
    assert decision.launch is Launch.GO
    assert decision.noise is not None
    assert decision.noise.sd.low < 0.0021 < decision.noise.sd.high
    assert decision.noise.pairs == 2


def test_a_variant_that_never_met_the_baseline_does_not_stop_the_others():
    pilot = pilot_of()
    rows = [
        row for row in results_of(pilot).rows
        if (row.variant, row.scale) != ("baseline", "100k-1M") and (row.variant != "gelu" or row.scale == "100k-1M")
    ]  # fmt: skip
    decision = decision_of(pilot, results=Results(rows=tuple(rows)))
    assert [item.variant for item in decision.findings] == ["half_lr"]


def test_the_order_of_the_rows_and_of_the_variants_does_not_matter():
    pilot = pilot_of(goal={"target": TRUTH * 1.05})
    results = results_of(pilot, GOOD)
    backwards = Results(rows=tuple(reversed(results.rows)))
    assert decision_of(pilot, results=backwards).findings == decision_of(pilot, results=results).findings


def test_the_same_results_decide_the_same_to_the_byte():
    pilot = pilot_of(goal={"target": TRUTH * 1.05})
    texts = {decision_of(pilot, GOOD).to_json() for _ in range(2)}
    assert len(texts) == 1
    assert Decision.from_json(texts.pop()) == decision_of(pilot, GOOD)


def test_the_law_is_fitted_to_the_baseline_alone_as_anybody_else_would():
    results = results_of(pilot_of(), GOOD)
    found = ladder_points(results, "bits_per_byte")
    assert len(found) == sum(row.variant == "baseline" for row in results.rows)
    decision = decision_of(pilot_of(), GOOD)
    target = decision.target
    assert decision.forecast is not None
    assert predict(found, target.parameters, target.tokens, flops=decision.forecast.flops) == decision.forecast


def test_the_prediction_is_for_the_shape_that_the_full_run_has():
    from pilotlight.model.size import measure

    pilot = pilot_of(goal={"full_run": {"parameters": "1.9M", "tokens": "30.0001M"}})
    decision, plan = decision_of(pilot), pilot.full_plan()
    assert decision.target.parameters == measure(plan.model, 257, plan.train.context).parameters != 1.9e6
    assert decision.target.tokens == plan.tokens != 30_000_100
    assert decision.forecast is not None
    assert (decision.forecast.parameters, decision.forecast.tokens) == (decision.target.parameters, plan.tokens)


def test_two_changes_that_exclude_each_other_do_not_both_count():
    variants = {
        "half_lr": {"set": {"train.optim.lr": "x0.5"}},
        "tenth_lr": {"set": {"train.optim.lr": "x0.1"}},
        "gelu": {"set": {"model.feedforward.kind": "gelu"}},
    }
    pilot = pilot_of(goal={"target": TRUTH * 1.05}, variants=variants)
    decision = decision_of(pilot, World(effects={"half_lr": -0.03, "tenth_lr": -0.05, "gelu": -0.02}))
    assert {str(item.verdict) for item in decision.findings} == {"ADOPT"}
    assert decision.adopted == ("tenth_lr", "gelu")
    assert any("half_lr won too, but is left out" in text and "tenth_lr" in text for text in decision.because)
    assert decision.target.prediction.value == pytest.approx(decision.target.baseline.value * 0.95 * 0.98, rel=0.005)
    assert any("never together" in text for text in decision.not_tested)
    assert not any("never together" in text for text in decision_of(pilot_of(), GOOD).not_tested)


def test_the_written_plan_holds_exactly_what_was_adopted(tmp_path):
    from pilotlight.pilot.full import write_full_plan
    from pilotlight.train.plan import Plan

    variants = {"none": {"set": {"model.position.kind": "none"}}, "far": {"set": {"model.position.period": "x10"}}}
    pilot = pilot_of(goal={"target": TRUTH * 1.05}, variants=variants)
    decision = decision_of(pilot, World(effects={"none": -0.03, "far": -0.02}))
    assert decision.adopted == ("none",)
    write_full_plan(pilot, decision, tmp_path / "full.yaml")
    assert Plan.load(tmp_path / "full.yaml").model == pilot.full_plan(("none",)).model


def test_a_finding_tells_its_multiplier_and_its_risk_of_turning_round():
    finding = half_lr(decision_of(pilot_of(), GOOD))
    assert finding.multiplier.low > 1.0
    assert finding.multiplier == finding.multipliers[finding.comparison.scale]
    assert set(finding.multipliers) <= set(finding.comparison.by_scale)
    trend = finding.multiplier_trend
    assert trend.low < 1.0 < trend.high, "the same effect at every rung of a law that falls ever more slowly"
    assert trend.n == len(finding.multipliers)
    assert 0.0 <= finding.carried.reversal < 0.05
    assert finding.carried.folds > 0.0


def test_a_changed_batch_is_timed_by_its_flops_and_says_so():
    variants = {"half_batch": {"set": {"train.rows": "x0.5"}}, "half_lr": {"set": {"train.optim.lr": "x0.5"}}}
    pilot = pilot_of(goal={"target": TRUTH * 1.05}, variants=variants)
    plain, slow, quick = (
        decision_of(pilot, World(effects=effects)) for effects in ({}, {"half_lr": -0.04}, {"half_batch": -0.04})
    )
    assert quick.adopted == ("half_batch",)
    assert quick.cost.seconds.value == pytest.approx(plain.cost.seconds.value, rel=0.001), (
        "the same FLOPs, twice the steps"
    )
    assert any("was not timed" in text for text in quick.cost.seconds.cautions)
    assert slow.cost.seconds == plain.cost.seconds


def test_the_text_is_an_open_question_where_no_run_finished():
    pilot = pilot_of()
    lost = tuple(row.name for row in results_of(pilot).rows if row.variant == "baseline")
    everything = tuple(row.name for row in results_of(pilot).rows)
    assert check(decision_of(pilot, World(lost=everything)), "text") == "unknown"
    assert check(decision_of(pilot, World(lost=lost)), "target") == "unknown"


def test_what_was_never_trained_counts_as_not_tested():
    pilot = pilot_of()
    assert not any("feed-forward" in text for text in decision_of(pilot).not_tested)
    lost = tuple(row.name for row in results_of(pilot).rows if row.variant == "gelu")
    assert any("feed-forward" in text for text in decision_of(pilot, World(lost=lost)).not_tested)


def test_a_variant_of_quite_another_shape_is_said():
    linear, grouped = ({"kind": kind, "head_dim": 32} for kind in ("linear", "grouped"))
    asked = pilot_of(equal="flops", model={"mixer": grouped}, variants={
        "hybrid": {"set": {"model.pattern": [linear, grouped]}}, "gelu": {"set": {"model.feedforward.kind": "gelu"}},
    }, scales=[{"parameters": "60k", "tokens": "1M"}, {"parameters": "1M", "tokens": "2M"}])  # fmt: skip
    odd = [text for text in decision_of(asked).advice if "part of the effect may be the shape's" in text]
    assert [text.split(" has depth")[0] for text in odd] == ["hybrid at 60k-1M"]


def test_advice_speaks_of_the_rungs_that_were_trained():
    pilot = pilot_of(goal={"full_run": {"parameters": "5M", "tokens": "50M"}})
    assert not any("The largest rung has" in text for text in decision_of(pilot).advice)
    rows = tuple(row for row in results_of(pilot).rows if row.scale != "1M-10M")
    advice = decision_of(pilot, results=Results(rows=rows)).advice
    assert any("The largest rung has 6.0 %" in text for text in advice)
    assert any("not trained at 1M-10M" in text for text in advice)


def test_deviations_are_told_as_they_were_given():
    assert decision_of(pilot_of(), deviations=("torch changed",)).deviations == ("torch changed",)


def test_flops_are_counted_with_the_vocabulary_of_the_tokens():
    from pilotlight.pilot.full import counted

    pilot = pilot_of()
    plan = pilot.full_plan()
    small, large = (counted(plan, {fingerprint(plan.tokenizer): size}).flops for size in (257, 32_000))
    assert large - small == pytest.approx(6 * (32_000 - 257) * plan.model.width * plan.tokens, rel=0.01)
