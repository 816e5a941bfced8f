"""Prediction against reality: what was written down before, what came of it, and how earlier predictions fared."""

from __future__ import annotations

import json

import pytest
from study_folder import Wish, write_study
from test_page import Reader

from pilotlight.errors import RecordError
from pilotlight.pilot.full_run import begin, land
from pilotlight.record import scorecards
from pilotlight.record.commitment import DECISION, LANDED, LAUNCHED, Track, commit, launched_by
from pilotlight.record.decision import Decision
from pilotlight.record.expense import STEPS
from pilotlight.record.ledger import Ledger
from pilotlight.record.run import Run, Session, Timing
from pilotlight.report.page import write_report
from pilotlight.report.study import Study
from pilotlight.train.plan import Plan


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pilotlight" / "scorecards.jsonl"


def text_of(out) -> str:
    return Reader(write_report(out).read_text(encoding="utf-8")).text


def test_the_page_says_that_the_prediction_came_first_and_how_earlier_ones_fared(tmp_path):
    shown = text_of(write_study(tmp_path / "out", full_run=1.455))
    assert "before the run began" in shown
    assert "3 of 4 earlier predictions inside" in shown
    assert "30 % to 95 %" in shown


def test_the_time_of_the_training_steps_stands_beside_what_was_said_of_it(tmp_path):
    out = write_study(tmp_path / "out", full_run=1.455)
    assert "Training steps took" not in text_of(out)  # no clock, no claim
    cost = Decision.from_json((out / "decision.json").read_text()).cost
    said = next(line.seconds for line in cost.lines if line.name == STEPS)
    steps = Study.read(out).full.facts.steps
    half = Session(first_step=0, steps=steps // 2, tokens=1, seconds=0.55 * said.value)
    rest = Session(first_step=steps // 2, steps=steps - steps // 2, tokens=1, seconds=0.55 * said.value)
    for sessions, shown in (((half, rest), True), ((rest,), False)):
        timing = Timing(device="cpu", threads=2, seconds=1.0, tokens_per_second=1.0, sessions=sessions)
        (out / "full" / "run" / "timing.json").write_text(timing.to_json())
        assert ("Training steps took" in text_of(out)) == shown
        assert ("+10.00 % on what was said" in text_of(out)) == shown


def test_a_full_run_that_nothing_names_after_its_prediction_proves_nothing(tmp_path):
    out = write_study(tmp_path / "out", Wish(proven=False), full_run=1.455)
    assert "not proven" in text_of(out)
    assert Study.read(out).full.promise is None


def test_a_run_that_was_trained_again_after_its_entry_proves_nothing(tmp_path):
    out = write_study(tmp_path / "out", full_run=1.455)
    manifest = out / "full" / "run" / "manifest.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "facts": {"another": 1}}))
    assert "not proven" in text_of(out)


def decide_again(out, **fields):
    """Enter another decision, as `pilot decide` does; return the one before."""
    old = (out / "decision.json").read_text()
    new = json.dumps({**json.loads(old), **fields})
    (out / "decision.json").write_text(new)
    commit(Ledger(out / "ledger.jsonl"), Decision.from_json(new), new)
    return Decision.from_json(old)


def test_a_prediction_made_after_the_run_began_is_not_the_one_that_counts(tmp_path):
    out = write_study(tmp_path / "out", full_run=1.455)
    target = json.loads((out / "decision.json").read_text())["target"]
    better = {**target["prediction"], "low": 1.4549, "value": 1.455, "high": 1.4551}
    first = decide_again(out, target={**target, "prediction": better})
    study = Study.read(out)
    assert study.decision.target.prediction.low == 1.4549
    assert study.full.promise.prediction == first.target.prediction


def test_the_ledger_holds_prediction_begin_and_end_in_this_order(tmp_path, store):
    out = write_study(tmp_path / "out", Wish(proven=False), full_run=1.455)
    plan, aside = Plan.load(out / "full.yaml"), tmp_path / "aside"
    (out / "full" / "run").rename(aside)
    begin(out, plan)
    begin(out, plan)  # killed and started again
    aside.rename(out / "full" / "run")
    begin(out, plan)  # run again after its end
    run = Run.open(out / "full" / "run")
    assert land(out, run) == "", "there was no earlier prediction"
    assert land(out, run) == ""
    entries = Ledger(out / "ledger.jsonl").entries()
    kinds = [entry.kind for entry in entries if entry.kind in (DECISION, LAUNCHED, LANDED)]
    assert kinds == [DECISION, LAUNCHED, LANDED]
    promise = launched_by(entries)
    assert promise is not None
    (card,) = scorecards.read()
    assert card.reached == 1.455
    assert (card.low, card.high) == (promise.prediction.low, promise.prediction.high)
    assert card.inside
    decide_again(out, worth=0.01)
    begin(out, plan)
    assert launched_by(Ledger(out / "ledger.jsonl").entries()) == promise, (
        "a later decision is not the one it was begun by"
    )
    assert len(store.read_text().splitlines()) == 1
    assert "before the run began" in text_of(out)


def test_an_edited_decision_is_not_launched(tmp_path, store):
    out = write_study(tmp_path / "out")
    path = out / "decision.json"
    path.write_text(path.read_text().replace("GO WITH CHANGES", "GO"))
    with pytest.raises(RecordError, match="pilot decide"):
        begin(out, Plan.load(out / "full.yaml"))
    assert not Ledger(out / "ledger.jsonl").entries(LAUNCHED)


def card(run: str, reached: float) -> scorecards.Scorecard:
    return scorecards.Scorecard(
        criteria="c", decision="d", run=run, metric="bits_per_byte", unit="bits/byte", predicted=1.0, low=0.9, high=1.1,
        level=0.95, reached=reached, threshold=1.0, reach=10.0,
    )  # fmt: skip


def test_the_library_counts_each_run_once_and_survives_a_torn_line(store):
    assert scorecards.read() == ()
    assert scorecards.sentence(scorecards.track(())) == ""
    for run, reached in (("a", 1.0), ("b", 1.05), ("c", 1.2), ("a", 1.0)):
        scorecards.keep(card(run, reached))
    with store.open("a") as file:
        file.write('{"criteria": "torn')
    found = scorecards.read()
    assert [one.run for one in found] == ["a", "b", "c"]
    scorecards.keep(card("d", 1.0))
    assert [one.run for one in scorecards.read()] == ["a", "b", "c", "d"], "the next one begins a line of its own"
    store.write_bytes(store.read_bytes().rstrip(b"\n"))
    scorecards.keep(card("e", 1.0))
    assert [one.run for one in scorecards.read()] == ["a", "b", "c", "d", "e"], "a whole line may lack its end"
    assert scorecards.track(found) == Track(predictions=3, inside=2)
    assert scorecards.track(found, but="c") == Track(predictions=2, inside=2)
    said = scorecards.sentence(scorecards.track(found))
    assert said == "of 3 earlier predictions of yours, 2 were inside their interval (21 % to 94 %, Wilson 95 %)"


def test_a_store_that_cannot_be_written_loses_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    scorecards.keep(card("a", 1.0))
    assert scorecards.read() == ()
