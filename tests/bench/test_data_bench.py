"""The benchmark of data runs on a tiny corpus, and counts what it says it counts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def corpus_bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    import data_corpus

    return data_corpus


@pytest.fixture
def page(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    import results_page

    return results_page


def texts(folder: Path, count: int) -> Path:
    folder.mkdir()
    lines = [
        json.dumps({"text": " ".join(f"word{(place * 31 + number * 977) % 9973}" for place in range(300))})
        for number in range(count)
    ]
    (folder / "given.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def test_one_command_prints_a_table_without_any_peer(tmp_path):
    command = [sys.executable, str(BENCH / "data.py"), "--text", str(texts(tmp_path / "text", 60)), "--megabytes", "0.2",
               "--vocabulary", "400", "--repeats", "1", "--only", "near", "--dry"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    assert len(re.findall(r"^\| near duplicates .* \| Pilotlight \| (?:none|2) \| \d", done.stdout, re.M)) == 2
    assert "datatrove | 1 | - | - | - | - | - | not installed" in done.stdout
    assert re.search(r"^\| Pilotlight \| none \| \d+ \| 1\.000 ", done.stdout, re.M), "exact copies are all found"


def test_the_same_text_gives_the_same_corpus(corpus_bench, tmp_path):
    given = texts(tmp_path / "text", 50)
    for name in ("one", "other"):
        about = corpus_bench.make(tmp_path / name, given, 1.0, 300)
    files = sorted(path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*") if path.is_file())
    assert about["documents"] == 50 + about["copies"]
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "other" / file).read_bytes() for file in files)


def test_recall_and_precision_know_what_stayed(corpus_bench, tmp_path):
    (tmp_path / "truth.json").write_text(json.dumps([
        {"id": "d0", "of": "b0", "kind": "exact"}, {"id": "d1", "of": "b1", "kind": "exact"},
    ]))  # fmt: skip
    one, other = (" ".join(f"{name}{place}" for place in range(50)) for name in "xy")
    rows = {"b0": one, "d0": one, "b1": other, "d1": other, "b2": "something that is like nothing else at all"}
    assert corpus_bench.recall(tmp_path, {"b0", "b1", "d1"})["exact"] == (1, 2)
    assert corpus_bench.precision(rows, {"b0", "b1", "d1"}) == (1, 2)


def test_a_section_takes_the_place_of_the_one_before(page, tmp_path):
    path = tmp_path / "RESULTS.md"
    path.write_text("# Measurements\n\n## One\n\nold\n\n## Two\n\nstays\n", encoding="utf-8")
    page.write_section("One", ["new"], path)
    page.write_section("Three", ["last"], path)
    assert path.read_text() == "# Measurements\n\n## One\n\nnew\n\n## Two\n\nstays\n\n## Three\n\nlast\n"


def test_jobs_that_were_left_out_are_taken_from_the_file_of_runs(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BENCH))
    from data import note_run, with_noted
    from data_jobs import cases

    copy, near, pii = (next(case for case in cases() if case.job == job) for job in ("copy", "near", "pii"))
    file = tmp_path / "runs.jsonl"
    for start, case, seconds in ((1.0, copy, 9.0), (1.0, near, 8.0), (2.0, near, 3.0), (2.0, near, 4.0)):
        note_run(file, case, {"bytes": 100, "cpu": seconds}, start)
    note_run(file, pii, {"bytes": 99, "cpu": 5.0}, 2.0)
    found = with_noted({copy: [{"bytes": 100, "cpu": 1.0}]}, file, 100)
    assert {case: [run["cpu"] for run in runs] for case, runs in found.items()} == {copy: [1.0], near: [3.0, 4.0]}, (
        "the run of now, the last start of what was left out, and nothing of another text"
    )
