"""What stands in a pilot's folder, read at any moment."""

from __future__ import annotations

import pytest
from made_up_results import World, pilot_of, results_of
from made_up_trainings import pretend

from pilotlight.errors import RecordError
from pilotlight.manifest import building, sha256, write_atomic
from pilotlight.pilot import execute
from pilotlight.pilot.again import decide_again, open_pilot, progress_of
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import Results
from pilotlight.spec import plain
from tiny_pilot import calibration_of

ADOPTED = World(effects={"half_lr": -0.03})
PILOT = pilot_of(scales=[{"parameters": "100k", "tokens": "1M"}], seeds=2, repeats=1)


@pytest.fixture
def out(tmp_path):
    write_atomic(tmp_path / "pilot.json", PILOT.model_dump_json(indent=1))
    Ledger(tmp_path / "ledger.jsonl").append("criteria", criteria=PILOT.criteria, pilot=plain(PILOT))
    return tmp_path


def enter(out, count: int, world: World = World()) -> None:  # noqa: B008
    """Enter the calibration and the first trials, as `pilot run` does."""
    ledger = Ledger(out / "ledger.jsonl")
    ledger.append("calibration", **plain(calibration_of(PILOT, seconds=1e-4)))
    for row in results_of(PILOT, world).rows[:count]:
        if row.status == "finished":
            with building(out / "runs" / row.name, kind="run", fingerprint="0" * 16, settings={}):
                pass
            row = row.model_copy(update={"manifest_sha256": sha256(out / "runs" / row.name / "manifest.json")})
        ledger.append("trial", **plain(row))


def test_before_the_first_trial_everything_waits(out):
    found = progress_of(out)
    assert (found.state, found.planned, found.finished) == ("not begun", 7, 0)
    assert {trial.status for trial in found.trials} == {"waiting"}
    with pytest.raises(RecordError, match="no finished trial yet"):
        decide_again(out)


def test_on_the_way_every_trial_has_its_state(out):
    lost = results_of(PILOT).rows[1].name
    enter(out, 3, World(lost=(lost,)))
    waiting = next(trial.name for trial in progress_of(out).trials if trial.status == "waiting")
    (out / "runs" / waiting).mkdir(parents=True)
    found = progress_of(out)
    assert (found.state, found.planned, found.finished) == ("under way", 7, 2)
    states = {trial.name: trial.status for trial in found.trials}
    assert states[lost] == "failed"
    assert states[waiting] == "under way"
    assert sorted(states.values()).count("waiting") == 3
    assert next(trial.result for trial in found.trials if trial.name == lost) == "the loss was not finite"


def test_a_trial_that_was_killed_and_then_finished_counts_once(out):
    row = results_of(PILOT).rows[0]
    Ledger(out / "ledger.jsonl").append("trial", **plain(row.model_copy(update={"status": "killed", "metrics": {}})))
    enter(out, 1)
    found = [trial for trial in progress_of(out).trials if trial.name == row.name]
    assert [trial.status for trial in found] == ["finished"]
    assert len(Results.open(out).rows) == 1


@pytest.mark.parametrize("damage", ["edited", "missing"])
def test_a_run_that_was_edited_or_lost_voids_the_verdicts(damage, out):
    enter(out, 7)
    run = out / "runs" / results_of(PILOT).rows[0].name / "manifest.json"
    if damage == "edited":
        run.write_text(run.read_text(encoding="utf-8").replace('"run"', '"ruin"'), encoding="utf-8")
    else:
        run.unlink()
    with pytest.raises(RecordError, match=f"{results_of(PILOT).rows[0].name} .*{damage}.*no verdict can stand"):
        Results.open(out)
    with pytest.raises(RecordError, match="no verdict can stand"):
        decide_again(out)
    assert progress_of(out).finished == 7, "looking at the progress is still possible"


def test_a_folder_without_a_pilot_is_named(tmp_path):
    with pytest.raises(RecordError, match=r"holds no pilot.json"):
        open_pilot(tmp_path)
    (tmp_path / "pilot.json").write_text('{"question": 1}', encoding="utf-8")
    with pytest.raises(RecordError, match="was edited or made by another version"):
        open_pilot(tmp_path)


def test_deciding_again_writes_the_page_anew(monkeypatch, command, tmp_path):
    pilot = pilot_of()
    pretend(monkeypatch, pilot, ADOPTED)
    execute.run(pilot, tmp_path, workers=1, together=1)
    assert not (tmp_path / "report.html").exists(), "the command writes it, not the function"
    said = command("decide", tmp_path)
    assert said.code == 0
    assert str(tmp_path / "report.html") in said.out
    assert "half_lr" in (tmp_path / "report.html").read_text(encoding="utf-8")
