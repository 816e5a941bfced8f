"""Trials of one shape that a worker trains together: the same groups after a kill, and an outcome for each."""

from __future__ import annotations

import pytest

from pilotlight.pilot.groups import grouped, outcomes, unit_of
from pilotlight.pilot.pilot import Pilot
from pilotlight.record.results import Results
from pilotlight.work.unit import Outcome, Unit
from tiny_pilot import keep_calibration, write_plan


def unit(key: str, cost: float = 1.0) -> Unit:
    return Unit(key=key, call="pilotlight.pilot.trial:run", arguments={"out": key}, cost=cost)


def test_groups_hold_trials_of_one_shape_in_their_order():
    trials = ["a1", "b1", "a2", "a3", "b2", "a4"]
    assert grouped(trials, 3, lambda trial: trial[0]) == [("a1", "a2", "a3"), ("b1", "b2"), ("a4",)]
    assert grouped(trials, 1, lambda trial: pytest.fail("nobody asks")) == [(trial,) for trial in trials]


def test_a_finished_trial_leaves_its_slot_empty():
    found = unit_of([unit("a"), None, unit("c", 2.0)])
    assert (found.key, found.cost) == ("a and 1 more", 3.0)
    assert found.arguments["trials"] == [{"key": "a", "out": "a"}, None, {"key": "c", "out": "c"}]
    assert unit_of([unit("a")]) == unit("a")


def test_every_trial_of_a_group_has_its_own_outcome():
    group = unit_of([unit("a"), None, unit("c")])
    said = {"a": {"status": "finished", "result": {"metrics": {"accuracy": 0.5}}},
            "c": {"status": "failed", "error": "no", "error_class": "RunError"}}  # fmt: skip
    found = dict(outcomes(Outcome(unit=group, status="finished", result=said, attempts=1)))
    assert {name: one.status for name, one in found.items()} == {"a": "finished", "c": "failed"}
    assert found["a"].result == {"metrics": {"accuracy": 0.5}}
    assert (found["c"].error, found["c"].error_class) == ("no", "RunError")
    killed = dict(outcomes(Outcome(unit=group, status="killed", error="lost", attempts=3)))
    assert [(one.status, one.error) for one in killed.values()] == [("killed", "lost")] * 2
    alone = Outcome(unit=unit("a"), status="failed", attempts=1)
    assert list(outcomes(alone)) == [("a", alone)]


@pytest.mark.slow
def test_a_pilot_comes_to_the_same_with_its_trials_together(tmp_path, tiny_text):
    from pilotlight.pilot.execute import run

    pilot = Pilot.load(write_plan(tmp_path / "plan.yaml", tiny_text))
    keep_calibration(pilot, 1)
    run(pilot, tmp_path / "alone", workers=1, together=1)
    run(pilot, tmp_path / "together", workers=1, together=3)
    alone, together = ({row.name: row for row in Results.open(tmp_path / name).rows} for name in ("alone", "together"))
    assert set(together) == set(alone)
    assert together
    for name, row in together.items():
        assert row.status == "finished"
        assert row.metrics["bits_per_byte"] == pytest.approx(alone[name].metrics["bits_per_byte"], rel=1e-3)
    stacked = [path for path in tmp_path.rglob("machine.json") if '"together": 3' in path.read_text()]
    assert len(stacked) == 6, "the seeds of the smallest rung: two trainings each of baseline, slow and the repeats"
