"""The launch: every word follows from the declared criteria, and from nothing else."""

from __future__ import annotations

import pytest
from made_up_results import World, decision_of, loss, pilot_of, results_of

from pilotlight.pilot.decide import points
from pilotlight.record.decision import Decision, Launch
from pilotlight.record.results import Results

TRUTH = loss(3e6, 30e6)
GOOD = World(effects={"half_lr": -0.04})


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
    decision = decision_of(pilot_of(goal={"target": TRUTH * 1.05, "limits": {"time": limit}}))
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
    decision = decision_of(pilot_of(goal={"target": TRUTH * 1.05}), World(epochs_per_token=epochs / 30e6))
    assert check(decision, "text") == status


def test_a_baseline_that_fails_or_stumbles_stands_in_the_way():
    pilot = pilot_of(goal={"target": TRUTH * 1.05})
    for world in (World(lost=("baseline/100k-1M/seed1",)), World(incidents={"baseline/1M-10M/seed0": 2})):
        decision = decision_of(pilot, world)
        assert check(decision, "stability") == "fail"
        assert decision.launch is Launch.NO_GO
    assert decision_of(pilot, World(lost=("gelu/1M-10M/seed0",))).launch is Launch.GO


def test_a_variant_that_always_fails_is_told_and_not_forgotten():
    pilot = pilot_of(goal={"target": TRUTH * 1.05})
    lost = tuple(f"gelu/{scale.name}/seed{seed}" for scale in pilot.scales for seed in range(3))
    decision = decision_of(pilot, World(lost=lost))
    assert [item.variant for item in decision.findings] == ["half_lr"]
    assert any("gelu has no verdict" in item and "not finite" in item for item in decision.advice)
    assert decision.trials["failed"] == len(lost)


def test_a_winner_that_does_not_win_again_is_not_adopted():
    decision = decision_of(pilot_of(goal={"target": TRUTH * 1.05}), World(effects={"half_lr": -0.04}, fresh={"half_lr": 0.01}))
    finding = next(item for item in decision.findings if item.variant == "half_lr")
    assert str(finding.verdict) == "UNDECIDED"
    assert decision.launch is Launch.GO


def test_a_winner_without_confirmation_is_not_adopted_unless_none_was_asked_for():
    pilot = pilot_of(goal={"target": TRUTH * 1.05})
    main = Results(rows=tuple(row for row in results_of(pilot, GOOD).rows if row.round == "main"))
    finding = next(item for item in decision_of(pilot, results=main).findings if item.variant == "half_lr")
    assert str(finding.verdict) == "UNDECIDED"
    assert "budget" in finding.next
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


def test_the_law_is_fitted_to_the_baseline_alone():
    results = results_of(pilot_of(), GOOD)
    found = points(results, "bits_per_byte")
    assert len(found) == sum(row.variant == "baseline" for row in results.rows)


def test_flops_are_counted_with_the_vocabulary_of_the_tokens():
    from pilotlight.pilot.decide import flops_of
    from pilotlight.spec import fingerprint

    pilot = pilot_of()
    plan = pilot.full_plan()
    small, large = (flops_of(plan, {fingerprint(plan.tokenizer): size}) for size in (257, 32_000))
    assert large - small == pytest.approx(6 * (32_000 - 257) * plan.model.width * plan.tokens, rel=0.01)
