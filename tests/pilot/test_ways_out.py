"""What a launch that does not simply pass leads to: a change that mends it, a pilot that settles it, or neither."""

from __future__ import annotations

import pytest
from made_up_results import decision_of, loss, pilot_of

from pilotlight.record.decision import Launch

TRUTH = loss(3e6, 30e6)


def test_a_limit_that_fewer_tokens_keep_is_a_go_with_that_change(tmp_path):
    from pilotlight.pilot.full import write_full_plan
    from pilotlight.train.plan import Plan

    pilot = pilot_of(goal={"target": TRUTH * 1.05, "limits": {"time": "22 min"}})
    decision = decision_of(pilot)
    assert decision.launch is Launch.GO_WITH_CHANGES
    assert {item.status for item in decision.checks} == {"pass"}
    (change,) = decision.changes
    assert (change.setting, change.old, change.mends) == ("goal.full_run.tokens", 30e6, ("time",))
    assert change.new < 30e6
    assert decision.target.tokens == pytest.approx(change.new, rel=0.01)
    assert decision.target.probability is not None
    assert decision.target.probability >= pilot.goal.confidence
    assert decision.criteria == pilot.criteria, "the declared criteria stay the declared ones"
    write_full_plan(pilot, decision, tmp_path / "full.yaml")
    assert Plan.load(tmp_path / "full.yaml").tokens == decision.target.tokens


def test_more_evidence_names_the_pilot_its_price_and_its_chance():
    decision = decision_of(pilot_of(goal={"target": TRUTH}))
    evidence = next(item.evidence for item in decision.checks if item.name == "target")
    assert evidence is not None
    assert evidence.parameters is not None
    assert evidence.tokens is not None
    assert 1e6 < evidence.parameters < 3e6
    assert 10e6 < evidence.tokens < 30e6
    assert evidence.seeds == 1
    assert evidence.flops
    assert evidence.seconds
    assert "probability" in evidence.what


def test_where_one_run_is_all_the_doubt_no_pilot_would_settle_it_and_the_launch_is_no_go(monkeypatch):
    from pilotlight.pilot import forecast

    def noisy(*given, **named):
        return predict(*given, **named).model_copy(update={"components": {"seed_noise": 1.0}})

    predict = forecast.predict
    monkeypatch.setattr(forecast, "predict", noisy)
    decision = decision_of(pilot_of(goal={"target": TRUTH}))
    target = next(item for item in decision.checks if item.name == "target")
    assert target.status == "unknown"
    assert target.evidence is None
    assert "no affordable pilot" in target.way_out
    assert decision.launch is Launch.NO_GO
