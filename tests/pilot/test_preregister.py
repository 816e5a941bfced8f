"""Criteria are fixed before the first trial; a later change is refused, or declared and shown; tampering is refused."""

from __future__ import annotations

import json
import shutil

import pytest
from made_up_results import World, pilot_of, results_of

from pilotlight.errors import RecordError
from pilotlight.events import silent
from pilotlight.manifest import building, sha256, write_atomic
from pilotlight.pilot.again import decide_again
from pilotlight.pilot.preregister import as_first_fixed, deviations, fixed_calibration, preregister
from pilotlight.record.commitment import criteria_in_force
from pilotlight.record.ledger import Ledger
from pilotlight.record.run import FACTS
from pilotlight.report.study import Study
from pilotlight.spec import fingerprint, plain
from tiny_pilot import calibration_of

SMALL = {"scales": [{"parameters": "100k", "tokens": "1M"}], "seeds": 2, "repeats": 1}
PILOT = pilot_of(**SMALL)
LOOSER = pilot_of(goal={"target": 1.9, "limits": {"time": "2 h"}}, **SMALL)
OTHER = pilot_of(goal={"target": 1.9}, variants={"half_lr": {"set": {"train.optim.lr": "x0.25"}}}, **SMALL)


def begun(out, *, trials: bool = True) -> Ledger:
    """Return the ledger of a pilot that has its criteria, its calibration and, if asked for, all its trials."""
    ledger = Ledger(out / "ledger.jsonl")
    preregister(PILOT, out, ledger, silent)
    ledger.append("calibration", **plain(calibration_of(PILOT, seconds=1e-4)))
    for row in results_of(PILOT, World()).rows if trials else ():
        with building(out / "runs" / row.name, kind="run", fingerprint="0" * 16, settings={}) as draft:
            write_atomic(draft.folder / FACTS, json.dumps({"metrics": row.metrics}))
        digest = sha256(out / "runs" / row.name / "manifest.json")
        ledger.append("trial", **plain(row.model_copy(update={"manifest_sha256": digest})))
    return ledger


def test_until_the_first_trial_criteria_may_change(tmp_path):
    ledger = begun(tmp_path, trials=False)
    preregister(LOOSER, tmp_path, ledger, silent)
    assert criteria_in_force(ledger.entries()).facts["criteria"] == LOOSER.criteria
    assert deviations(ledger) == ()
    assert fixed_calibration(ledger) is None, "a calibration of other criteria does not count"


def test_criteria_that_an_earlier_version_fixed_stay_in_force(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    older = {name: value for name, value in plain(PILOT).items() if name != "samples"}
    ledger.append("criteria", criteria="0123456789abcdef", pilot=older, file_sha256="")
    write_atomic(tmp_path / "pilot.json", json.dumps(older))
    ledger.append("trial", name="baseline/100k-1M/seed0")
    preregister(PILOT, tmp_path, ledger, silent)
    assert criteria_in_force(ledger.entries()).facts["criteria"] == "0123456789abcdef"
    assert json.loads((tmp_path / "pilot.json").read_text()) == older, "or the page would find another plan there"
    with pytest.raises(RecordError, match="another plan") as error:
        preregister(LOOSER, tmp_path, ledger, silent)
    assert "samples" not in str(error.value)
    preregister(LOOSER, tmp_path, ledger, silent, why="the old target was a slip")
    assert set(ledger.entries("deviation")[0].facts["changes"]) == {"goal.target", "goal.limits.time"}


def test_a_file_of_an_earlier_version_stays_as_its_ledger_has_it_though_the_hash_is_the_same(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    older = {name: value for name, value in plain(PILOT).items() if name != "folds"}
    ledger.append("criteria", criteria=PILOT.criteria, pilot=older, file_sha256="")
    write_atomic(tmp_path / "pilot.json", json.dumps(older))
    preregister(PILOT, tmp_path, ledger, silent)
    assert json.loads((tmp_path / "pilot.json").read_text()) == older
    assert "pilot.json" not in Study.read(tmp_path).void


def hashed_without(*names: str) -> str:
    """Return the hash of the pilot by a version that did not know the fields ``names``, or left them out."""
    settings = {name: value for name, value in plain(PILOT).items() if name not in ("tuned", *names)}
    return fingerprint(settings | {"corpus": PILOT.corpus.identity(), "tokenizer": PILOT.tokenizer.identity()}, "")


def test_what_a_pilot_does_not_ask_for_is_not_in_its_hash():
    assert PILOT.criteria == hashed_without("tune", "search", "folds", "allocation", "samples")
    asked = ({"samples": 1}, {"allocation": "adaptive"}, {"tune": {}})
    assert len({PILOT.criteria, *(pilot_of(**SMALL, **more).criteria for more in asked)}) == 4


def test_criteria_in_whose_hash_no_samples_entered_stay_in_force(tmp_path):
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.append(
        "criteria", criteria=hashed_without("tune", "search", "folds", "allocation"), pilot=plain(PILOT), file_sha256=""
    )
    ledger.append("trial", name="baseline/100k-1M/seed0")
    preregister(PILOT, tmp_path, ledger, silent)
    assert len(ledger.entries("criteria")) == 1
    assert not ledger.entries("deviation")


@pytest.mark.parametrize(("changed", "why", "words"), [
    (LOOSER, "", "--deviate"), (OTHER, "", "another --out"), (OTHER, "we like it better", "another --out"),
])  # fmt: skip
def test_after_the_first_trial_a_change_is_refused_and_shown(changed, why, words, tmp_path):
    ledger = begun(tmp_path)
    with pytest.raises(RecordError, match=words) as error:
        preregister(changed, tmp_path, ledger, silent, why=why)
    assert "goal.target: 1.6 -> 1.9" in str(error.value)
    assert ("--deviate" in str(error.value)) == (changed is LOOSER)
    assert criteria_in_force(ledger.entries()).facts["criteria"] == PILOT.criteria


def test_an_edited_file_that_the_plan_names_is_no_deviation(tmp_path):
    task = tmp_path / "task.jsonl"
    task.write_text("{}", encoding="utf-8")
    pilot = PILOT.model_copy(update={"goal": PILOT.goal.model_copy(update={"task": task, "metric": "accuracy"})})
    ledger = Ledger(tmp_path / "out" / "ledger.jsonl")
    preregister(pilot, tmp_path / "out", ledger, silent)
    ledger.append("trial", name="baseline/a/seed0")
    task.write_text('{"another": 1}', encoding="utf-8")
    for why in ("", "the task had a slip"):
        with pytest.raises(RecordError, match="a file that it names"):
            preregister(pilot, tmp_path / "out", ledger, silent, why=why)


def test_a_declared_change_of_what_decides_no_trial_is_a_deviation_for_ever(tmp_path):
    ledger = begun(tmp_path)
    preregister(LOOSER, tmp_path, ledger, silent, why="the client asked for it")
    preregister(LOOSER, tmp_path, ledger, silent)
    (entry,) = ledger.entries("deviation")
    assert (entry.facts["was"], entry.facts["criteria"]) == (PILOT.criteria, LOOSER.criteria)
    (told,) = deviations(ledger)
    for words in (
        "after 7 trials",
        "goal.target 1.6 -> 1.9",
        "goal.limits.time None -> 7200.0",
        "the client asked for it",
    ):
        assert words in told
    assert as_first_fixed(ledger) == PILOT
    assert fixed_calibration(ledger) is not None, "nothing that was measured is measured again"
    assert (tmp_path / "pilot.json").read_text(encoding="utf-8") == LOOSER.model_dump_json(indent=1)
    assert as_first_fixed(begun(tmp_path / "another")) is None


def test_the_file_of_the_pilot_is_kept_with_its_hash(tmp_path):
    source = tmp_path / "mine.yaml"
    source.write_text("# why we ask\nquestion: Which?\n", encoding="utf-8")
    ledger = Ledger(tmp_path / "out" / "ledger.jsonl")
    preregister(PILOT, tmp_path / "out", ledger, silent, source=source)
    assert (tmp_path / "out" / "pilot.yaml").read_text(encoding="utf-8") == source.read_text(encoding="utf-8")
    assert ledger.entries("criteria")[0].facts["file_sha256"] == sha256(source)


def change_lines(out, change) -> None:
    path = out / "ledger.jsonl"
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


def edit_pilot(out) -> None:
    path = out / "pilot.json"
    path.write_text(path.read_text().replace('"target": 1.6', '"target": 1.9'))


def edit_metric(out) -> None:
    path = next(out.glob(f"runs/*/*/seed0/{FACTS}"))
    path.write_text('{"metrics": {"bits_per_byte": 0.5}}')


@pytest.mark.parametrize(("damage", "words"), [
    (lambda out: shutil.rmtree(next(out.glob("runs/*/*/seed0"))), "is missing"),
    (edit_metric, "was edited"),
    (lambda out: change_lines(out, lambda found: [*found[:5], *found[6:]]), "is missing, moved or put in"),
    (lambda out: change_lines(out, lambda found: [*found[:5], found[6], found[5], *found[7:]]), "is missing, moved or put in"),
    (lambda out: change_lines(out, lambda found: found[:-1]), "1 of 7 trials are missing"),
    (edit_pilot, "pilot.json is not the plan"),
])  # fmt: skip
def test_no_decision_is_made_on_records_that_were_changed(damage, words, tmp_path):
    begun(tmp_path)
    damage(tmp_path)
    with pytest.raises(RecordError, match=words):
        decide_again(tmp_path)
    assert not (tmp_path / "decision.json").exists()
