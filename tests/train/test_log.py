"""The lines of a run's metrics."""

from __future__ import annotations

import json

import pytest

from pilotlight.errors import RecordError
from pilotlight.train.log import MetricsLog


def test_what_was_written_after_a_checkpoint_is_cut_away_on_resume(tmp_path):
    path = tmp_path / "metrics.jsonl"
    log = MetricsLog(path)
    log.add({"step": 1})
    kept = log.sync()
    log.add({"step": 2})
    log.close()
    again = MetricsLog(path, kept)
    again.add({"step": 2, "again": True})
    again.close()
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"step": 1}, {"step": 2, "again": True}]


def test_lines_that_were_lost_are_noticed(tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n')
    with pytest.raises(RecordError, match="has 12 bytes, the checkpoint was made with 100"):
        MetricsLog(path, 100)


def test_a_number_that_json_cannot_hold_is_refused(tmp_path):
    log = MetricsLog(tmp_path / "metrics.jsonl")
    with pytest.raises(ValueError, match="JSON"):
        log.add({"loss": float("nan")})
    log.close()
