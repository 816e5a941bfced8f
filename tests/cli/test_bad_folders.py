"""Output folders that are not free, too little budget, an easy target, and a full disk."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pilotlight.pilot.pilot import Pilot
from pilotlight.record.ledger import Ledger
from pilotlight.record.results import Row
from pilotlight.spec import plain
from tiny_pilot import environment, keep_calibration, pilot


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_folder_with_other_files_is_refused_and_left_as_it_was(plan, command, tmp_path):
    out = tmp_path / "thesis"
    out.mkdir()
    (out / "chapter.txt").write_text("mine", encoding="utf-8")
    command("run", plan(), "--out", out).refuses("holds other files, not a pilot")
    assert files(out) == {"chapter.txt": b"mine"}


def test_a_file_as_output_folder_is_refused(plan, command, tmp_path):
    out = tmp_path / "out"
    out.write_text("mine", encoding="utf-8")
    command("run", plan(), "--out", out).refuses("out is a file")
    assert out.read_text(encoding="utf-8") == "mine"


def test_a_folder_of_another_plan_is_refused_with_what_differs(plan, command, tmp_path):
    """Before the first trial the criteria may still change; after it they are fixed."""
    out, path = tmp_path / "out", plan(budget={"time": "0.1 s"})
    keep_calibration(Pilot.load(path), 1)
    assert command("run", path, "--out", out, "--quiet", "--workers", "1").code == 1
    name = "baseline/2k-2k/seed0"
    row = Row(name=name, variant="baseline", scale="2k-2k", seed=0, status="failed", fingerprint="0" * 16)
    Ledger(out / "ledger.jsonl").append("trial", **plain(row))
    before = files(out)
    said = command("run", plan(seeds=3, budget={"time": "0.1 s"}), "--out", out)
    said.refuses("was started with another plan", "seeds: 2 -> 3", "another --out")
    assert files(out) | {".lock": b""} == before | {".lock": b""}


def test_a_plan_that_is_mended_before_the_first_trial_may_go_on_in_its_folder(plan, command, tmp_path):
    out, path = tmp_path / "out", plan(budget={"time": "0.1 s"})
    keep_calibration(Pilot.load(path), 1)
    for seeds in (2, 3):
        path = plan(seeds=seeds, budget={"time": "0.1 s"})
        said = command("run", path, "--out", out, "--quiet", "--workers", "1")
        said.refuses("does not pay for one trial")
    kept = [entry.facts["criteria"] for entry in Ledger(out / "ledger.jsonl").entries("criteria")]
    assert len(set(kept)) == 2
    assert kept[-1] == Pilot.load(path).criteria


@pytest.mark.parametrize("step", [["corpus", "build"], ["tokens", "pack"]])
def test_a_corpus_of_another_recipe_is_refused_with_what_differs(step, plan, command, tmp_path):
    out = tmp_path / "out"
    assert command(*step, plan(), "--out", out, "-q").code == 0
    before = files(out)
    said = command(*step, plan(corpus={"held_out": "20%"}), "--out", out)
    said.refuses("was made from other settings", "held_out: 0.15 -> 0.2", "another --out")
    assert files(out) == before


def test_text_that_changed_since_is_refused(plan, command, tmp_path, tiny_text):
    texts = tmp_path / "texts"
    texts.mkdir()
    copy = texts / "made_up.jsonl"
    copy.write_bytes((tiny_text / "made_up.jsonl").read_bytes())
    assert command("corpus", "build", plan(texts), "--out", tmp_path / "out", "-q").code == 0
    with copy.open("a", encoding="utf-8") as file:
        file.write('{"text": "A new law, the mayor said, is in force from now on."}\n')
    command("corpus", "build", plan(texts), "--out", tmp_path / "out").refuses("other input", "another --out")


def test_writing_into_the_text_itself_is_refused(plan, command, tiny_text):
    command("corpus", "build", plan(), "--out", tiny_text / "out").refuses("lies inside", "outside it")
    assert not (tiny_text / "out").exists()


def test_a_budget_below_one_trial_is_refused_with_what_it_takes(plan, command, tmp_path):
    path = plan(budget={"time": "0.1 s"})
    keep_calibration(Pilot.load(path), 1)
    said = command("run", path, "--out", tmp_path / "out", "--quiet", "--workers", "1")
    said.refuses("does not pay for one trial", "0.1 s", "Raise budget.time to about", "all 11 trials")
    assert not (tmp_path / "out" / "decision.json").exists()
    assert not (tmp_path / "out" / "runs").exists()


@pytest.mark.slow
def test_a_target_that_the_smallest_pilot_meets_is_refused_each_time(plan, tmp_path):
    path = plan(goal={"target": 8.0}, seeds=1, repeats=0)
    keep_calibration(Pilot.load(path), 1)
    for _ in range(2):
        done = pilot("run", path, "--out", tmp_path / "out", "--quiet", "--workers", "1")
        assert done.returncode == 1, done.stderr
        assert "already met by the smallest pilot" in done.stderr
        assert "Traceback" not in done.stderr
        assert not (tmp_path / "out" / "decision.json").exists()


@pytest.mark.parametrize(
    ("hardware", "words"),
    [
        ({"accelerator": "H10O"}, ("'H10O' is not in the table", "Did you mean 'H100'?")),
        ({"receipt": "lost.json"}, ("lost.json is no receipt", "pilot doctor --bench")),
    ],
)
def test_unknown_hardware_is_refused_before_anything_is_trained(hardware, words, plan, command, tmp_path):
    command("run", plan(goal={"hardware": hardware}), "--out", tmp_path / "out").refuses(*words)
    assert not (tmp_path / "out").exists()


def test_a_plan_that_exists_is_not_written_over(command, tmp_path, tiny_text):
    mine = tmp_path / "my.yaml"
    mine.write_text("question: mine\n", encoding="utf-8")
    command("new", mine, "--text", tiny_text).refuses("exists already", "--force")
    assert mine.read_text(encoding="utf-8") == "question: mine\n"
    assert command("new", mine, "--text", tiny_text, "--force").code == 0
    assert "question: Which of these changes" in mine.read_text(encoding="utf-8")


COMMAND = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
sys.argv = ["pilot", *sys.argv[2:]]
from pilotlight.cli.main import main
main()
"""


@pytest.mark.skipif(os.name != "posix", reason="limits of POSIX systems")
@pytest.mark.parametrize(
    "step", [["corpus", "build"], ["tokens", "pack"], pytest.param(["run"], marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("room", [1, 10_000])
def test_a_disk_that_is_full_is_said_and_nothing_half_written_stays(step, room, plan, tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-c", COMMAND, str(room), *step, str(plan()), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment(), timeout=120)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert "error: " in done.stderr
    assert "no space left" in done.stderr
    assert list(out.rglob("*.partial")) == []
    assert [path for path in out.rglob("manifest.json") if ".work/" not in path.as_posix()] == []


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_while_a_corpus_is_written_leaves_only_its_work(
    number, plan, command, tmp_path, monkeypatch
):
    from pilotlight.corpus import store

    real, left = store.Rows.write, {"rows": 100}

    def write(self, row):
        left["rows"] -= 1
        if left["rows"] < 0:
            raise OSError(number, os.strerror(number), "train.jsonl.zst")
        return real(self, row)

    monkeypatch.setattr(store.Rows, "write", write)
    command("corpus", "build", plan(), "--out", tmp_path / "out").refuses("no space left", "free some space")
    assert not (tmp_path / "out").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name != "plan.yaml"] == [".out.work"]
    left["rows"] = 10**9
    assert command("corpus", "build", plan(), "--out", tmp_path / "out").code == 0
    assert not (tmp_path / ".out.work").exists()
