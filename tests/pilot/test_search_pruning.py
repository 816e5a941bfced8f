"""Searches that give trials up: every kind, after kills, and what the sampler is told of such trials."""

from __future__ import annotations

import pytest
from made_up_results import pilot_of
from made_up_search import goes_on_after_kills, pretend

from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.samplers.random import Random
from pilotlight.pilot.search import search
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import SEARCH, Results, Row
from pilotlight.record.search import SearchResult

KINDS = {
    "quantile": {"least": 3}, "halving": {"kind": "halving", "least": 4},
    "hyperband": {"kind": "hyperband", "least": 4}, "forecast": {"kind": "forecast", "least": 3},
}  # fmt: skip


def searching(prune, **changes) -> Pilot:
    space = {"train.optim.lr": {"low": 5e-4, "high": 0.3, "log": True}, "model.feedforward.kind": ["gelu", "swiglu"]}
    asked = {"space": space, "trials": 14, "batch": 4, "sampler": "random", "prune": prune, "top": 1, "repeats": 1,
             "confirm": 2, "shade": []} | changes  # fmt: skip
    return pilot_of(search=asked, train={"rows": 8, "context": 64, "optim": {"kind": "adamw", "lr": 0.03}})


@pytest.fixture(autouse=True)
def made_up(monkeypatch):
    pretend(monkeypatch, searching(None))


def run(out, pilot) -> SearchResult:
    return search(pilot, out, workers=0, together=1)


def rows(out) -> dict[str, Row]:
    return {row.variant: row for row in Results.open(out, kind=SEARCH).rows if row.seed == 0}


@pytest.mark.parametrize("kind", KINDS)
def test_what_falls_behind_is_given_up_and_kept_with_its_course_and_what_is_good_goes_on(tmp_path, kind):
    found = run(tmp_path / "out", searching(KINDS[kind]))
    cut = [one for one in found.trials if one.status == "pruned"]
    assert len(cut) >= 2
    assert all("given up at step" in one.reason and "bits per byte, " in one.reason for one in cut)
    entered = rows(tmp_path / "out")
    for one in cut:
        row = entered[one.name]
        assert 0 < row.course[-1][0] < 1
        assert row.course[-1][1] == pytest.approx(row.metrics["bits_per_byte"])
    assert [one.status for one in found.trials[:4] if one.status == "pruned"] == [], (
        "the first round has no other before it"
    )
    whole = run(tmp_path / "whole", searching(None))
    assert found.winner == whole.winner
    saved = sum(1 - entered[one.name].course[-1][0] for one in cut) / 14
    told = f"{len(cut)} of 14 trials were given up on their way, which saved {100 * saved:.0f} % of the steps of all of these"
    assert [caution for caution in found.cautions if caution.startswith(told)]


@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_any_moment_it_ends_the_same_whoever_is_given_up(tmp_path, kind):
    pilot = searching(KINDS[kind], sampler={"kind": "tpe", "startup": 4})
    goes_on_after_kills(tmp_path, pilot, lambda count: (5, 10, count - 1))


def test_trials_of_one_round_are_held_against_earlier_rounds_whatever_their_order(tmp_path, monkeypatch):
    from pilotlight.pilot import execute

    pilot, units = searching(KINDS["forecast"]), execute._units
    whole = run(tmp_path / "whole", pilot).to_json()
    monkeypatch.setattr(execute, "_units", lambda *arguments: units(*arguments)[::-1])
    assert run(tmp_path / "reversed", pilot).to_json() == whole
    names = [entry.facts["name"] for entry in Ledger(tmp_path / "reversed" / "ledger.jsonl").entries(SEARCH)]
    assert names[0].startswith("t003"), "the last of the round was the first"


def test_the_sampler_is_never_told_a_loss_on_the_way_as_a_result(tmp_path, monkeypatch):
    told = {}
    ask = Random.ask

    def spy(self, dimensions, known, count, seed):
        told.update({one.number: one.loss for one in known})
        return ask(self, dimensions, known, count, seed)

    monkeypatch.setattr(Random, "ask", spy)
    found = run(tmp_path / "out", searching(KINDS["quantile"]))
    entered = rows(tmp_path / "out")
    ends = [one.value for one in found.trials if one.status == "finished"]
    cut = [one for one in found.trials if one.status == "pruned" and one.number in told]
    assert cut
    for one in cut:
        assert min(ends) <= told[one.number] <= max(ends)
        assert told[one.number] < entered[one.name].course[-1][1], "losses still fall from there"
    for one in found.trials:
        if one.status == "finished" and one.number in told:
            assert told[one.number] == one.value
