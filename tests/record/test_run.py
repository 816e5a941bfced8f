"""Runs as folders."""

from __future__ import annotations

import json

import pytest

from pilotlight.errors import RecordError
from pilotlight.manifest import Manifest, seal
from pilotlight.record.run import Run, Score, read_lines


@pytest.fixture
def folder(tmp_path):
    facts = {
        "status": "finished", "fingerprint": "f" * 16, "metrics": {"bits_per_byte": 1.5}, "train_bits_per_byte": 1.4,
        "gap": 0.1, "parameters": 10, "total_parameters": 20, "tokens": 100, "epochs": 0.5, "steps": 2, "flops": 6000.0,
        "bytes_per_token": 3.5, "scored_bytes": 40, "fit": "ok", "why": "nothing", "precision": "float32", "versions": {},
    }  # fmt: skip
    (tmp_path / "run.json").write_text(json.dumps(facts))
    lines = [{"kind": "step", "step": 1}, {"kind": "evaluation", "step": 1}, {"kind": "step", "step": 2}]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "scores.jsonl").write_text('{"item": "a", "nats": 2.5, "tokens": 3, "bytes": 9}\n')
    seal(
        tmp_path,
        Manifest(kind="run", fingerprint="f" * 16, settings={"steps": 2}, inputs={}, files={}, facts={}, versions={}),
    )
    return tmp_path


def test_a_run_is_read_from_its_files(folder):
    run = Run.open(folder, verify=True)
    assert run.facts.metrics["bits_per_byte"] == 1.5
    assert run.plan == {"steps": 2}
    assert [line["step"] for line in run.lines("step")] == [1, 2]
    assert len(run.evaluations()) == 1
    assert run.scores() == [Score(item="a", nats=2.5, tokens=3, bytes=9)]


def test_an_unfinished_run_is_refused(folder):
    (folder / "manifest.json").unlink()
    with pytest.raises(RecordError, match="unfinished"):
        Run.open(folder)


def test_a_run_that_was_edited_is_refused_when_checked(folder):
    (folder / "scores.jsonl").write_text('{"item": "a", "nats": 1.5, "tokens": 3, "bytes": 9}\n')
    with pytest.raises(RecordError, match=r"scores\.jsonl"):
        Run.open(folder, verify=True)


def test_a_damaged_file_is_named(folder):
    (folder / "run.json").write_text("{")
    with pytest.raises(RecordError, match=r"run\.json is missing or damaged"):
        _ = Run.open(folder).facts
    (folder / "metrics.jsonl").write_text('{"kind": "step"}\nnonsense\n')
    with pytest.raises(RecordError, match=r"metrics\.jsonl:2"):
        Run.open(folder).lines()


def test_a_line_that_is_still_being_written_is_passed_over(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"st')
    assert read_lines(tmp_path / "metrics.jsonl") == [{"step": 1}]
