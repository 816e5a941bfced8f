"""The whole way, as a user goes it: a plan and some text in, a decision, a page and a full run out."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from pilotlight.pilot.pilot import Pilot
from pilotlight.record.decision import Decision, Launch
from pilotlight.record.results import Results
from pilotlight.train.plan import Plan
from tiny_pilot import keep_calibration, pilot, write_plan

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def trained(out: Path) -> dict[str, bytes]:
    """Every byte of every run, clock readings and locks left out."""
    kept = [
        path
        for path in sorted((out / "runs").rglob("*"))
        if path.is_file() and path.name not in ("timing.json", ".lock")
    ]
    return {str(path.relative_to(out)): path.read_bytes() for path in kept if path.name != "manifest.json"}


@pytest.fixture(scope="module")
def story(tmp_path_factory, tiny_text):
    """Return the folder of a pilot that ran to its end: `plan.yaml`, `out`, and what the command said."""
    folder = tmp_path_factory.mktemp("story")
    plan = write_plan(folder / "plan.yaml", tiny_text, folds=3)
    for workers in (1, 2):
        keep_calibration(Pilot.load(plan), workers)
    done = pilot("run", plan, "--out", folder / "out", "--workers", "2")
    assert done.returncode == 0, done.stderr
    (folder / "said.txt").write_text(done.stdout, encoding="utf-8")
    (folder / "told.txt").write_text(done.stderr, encoding="utf-8")
    return folder


def test_the_terminal_shows_the_verdicts_the_decision_and_the_paths(story):
    said = (story / "said.txt").read_text(encoding="utf-8")
    for word in ("slow", "REJECT", "gelu", "target", "report.html", "decision.json", "full.yaml"):
        assert word in said
    told = (story / "told.txt").read_text(encoding="utf-8")
    assert "trials: " in told
    assert "left" in told or "11 of 11 trials" in told


def test_the_decision_says_what_was_asked_and_what_was_found(story):
    decision = Decision.from_json((story / "out" / "decision.json").read_text(encoding="utf-8"))
    assert decision.launch in Launch
    assert decision.criteria == Pilot.load(story / "plan.yaml").criteria
    assert {finding.variant: str(finding.verdict) for finding in decision.findings}["slow"] == "REJECT"
    assert decision.trials == {"planned": 11, "left out": 0, "finished": 11, "failed": 0, "killed": 0}
    assert decision.target.prediction is not None
    assert decision.target.prediction.low < decision.target.prediction.value < decision.target.prediction.high
    scores = decision.cross_validation.scores
    assert len(set(scores)) == 3
    assert 0.8 < min(scores) < max(scores) < 1.25 * min(scores)
    assert {check.name for check in decision.checks} >= {"target", "time", "cost", "text", "stability"}


def test_the_page_stands_alone_beside_its_pictures(story):
    page = (story / "out" / "report.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")
    assert 'src="http' not in page
    assert list((story / "out" / "report").glob("*.png"))
    assert "Cross-validation" in page
    assert "fold.1of3" not in page, "no run of another part is drawn among those that are compared"


def test_the_full_run_starts_from_its_plan_and_goes_on(story, tmp_path):
    plan = Plan.load(story / "out" / "full.yaml")
    assert plan.tokens == pytest.approx(20_000, rel=0.01)
    words = ["train", story / "out" / "full.yaml", "--out", tmp_path / "full", "--set", "steps=15", "--threads", "1"]
    done = pilot(*words)
    assert done.returncode == 0, done.stderr
    assert "held-out bits per byte" in done.stdout
    facts = json.loads((tmp_path / "full" / "run" / "run.json").read_text(encoding="utf-8"))
    assert facts["steps"] == 15
    before = (tmp_path / "full" / "run" / "manifest.json").read_bytes()
    assert pilot(*words).returncode == 0
    assert (tmp_path / "full" / "run" / "manifest.json").read_bytes() == before


def test_run_again_nothing_is_trained_and_the_decision_is_the_same_to_the_byte(story, tmp_path):
    out = tmp_path / "moved"  # the folder may have moved in between
    shutil.copytree(story / "out", out)
    before = {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("manifest.json")}
    decision, ledger = (out / "decision.json").read_bytes(), (out / "ledger.jsonl").read_bytes()
    done = pilot("run", story / "plan.yaml", "--out", out, "--workers", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert {path: path.stat().st_mtime_ns for path in (out / "runs").rglob("manifest.json")} == before
    assert (out / "decision.json").read_bytes() == decision
    assert (out / "ledger.jsonl").read_bytes() == ledger
    assert json.loads(done.stdout) == json.loads(decision)


def test_one_worker_finds_the_same_as_two(story, tmp_path):
    done = pilot("run", story / "plan.yaml", "--out", tmp_path / "out", "--workers", "1", "--quiet")
    assert done.returncode == 0, done.stderr
    assert trained(tmp_path / "out") == trained(story / "out")
    assert (tmp_path / "out" / "decision.json").read_bytes() == (story / "out" / "decision.json").read_bytes()


def test_the_same_pilot_from_python_decides_the_same(story, tmp_path):
    import pilotlight

    pilot_file = pilotlight.Pilot.load(story / "plan.yaml")
    shutil.copytree(story / "out", tmp_path / "out")
    events: list[object] = []
    decision = pilotlight.run(pilot_file, tmp_path / "out", workers=2, watch=events.append)
    assert decision.to_json() + "\n" == (story / "out" / "decision.json").read_text(encoding="utf-8")
    assert pilotlight.write_report(tmp_path / "out") == tmp_path / "out" / "report.html"


def test_every_look_at_the_folder_answers(story, command):
    out = story / "out"
    before = (out / "decision.json").read_bytes()
    status = json.loads(command("status", out, "--json").out)
    assert (status["state"], status["planned"], status["finished"]) == ("decided", 14, 14), "three of them are parts"
    (out / "report.html").unlink()
    assert command("decide", out).code == 0
    assert (out / "decision.json").read_bytes() == before
    assert (out / "report.html").is_file()
    clock = json.loads((out / "clock.json").read_text(encoding="utf-8"))
    (slow,) = [one for one in clock["variants"] if one["variant"] == "slow"]
    assert all(0.2 < price["value"] < 5 for price in slow["prices"].values())
    assert slow["prices"]
    corpus = json.loads(command("corpus", "show", *out.glob("corpus/*"), "--json").out)
    assert corpus["facts"]["train"]["documents"] > 100
    tokens = json.loads(command("tokens", "show", out, "--json").out)
    assert tokens["tokenizer"]["kind"] == "bytes"
    predicted = json.loads(command("predict", out, "--target", "parameters=30k,tokens=20k", "--json").out)
    assert predicted["loss"]["low"] < predicted["loss"]["value"]


def test_an_edited_run_voids_every_verdict(story, tmp_path, command):
    out = tmp_path / "out"
    shutil.copytree(story / "out", out)
    run = out / "runs" / Results.open(out).rows[0].name
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["facts"]["edited"] = True
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    command("run", story / "plan.yaml", "--out", out, "--workers", "2").refuses("was edited since it was entered")
    command("decide", out).refuses("was edited since it was entered")
    shutil.rmtree(run)
    command("decide", out).refuses("is missing since it was entered")


def test_an_edited_ledger_voids_every_verdict(story, tmp_path, command):
    out = tmp_path / "out"
    shutil.copytree(story / "out", out)
    ledger = out / "ledger.jsonl"
    text = ledger.read_text(encoding="utf-8")
    value = next(row for row in Results.open(out).finished()).metrics["bits_per_byte"]
    assert str(value) in text
    ledger.write_text(text.replace(str(value), str(value - 0.5)), encoding="utf-8")
    for words in (["run", story / "plan.yaml", "--out", out], ["decide", out], ["status", out]):
        command(*words).refuses("ledger.jsonl")


def test_a_new_user_gets_a_plan_for_their_text_that_loads(tiny_text, tmp_path, command):
    said = command("new", tmp_path / "my.yaml", "--text", tiny_text)
    assert said.code == 0
    assert "pilot run" in said.out
    found = Pilot.load(tmp_path / "my.yaml")
    assert found.corpus.sources[0].path == tiny_text.resolve()  # type: ignore[attr-defined]
    assert [rung.baseline_only for rung in found.scales].count(False) == 2
    assert yaml.safe_load((tmp_path / "my.yaml").read_text(encoding="utf-8"))["goal"]["target"] == 1.5
