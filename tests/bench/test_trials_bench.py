"""The benchmark of many small trials runs at a tiny size, and its ways do the same trials."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    import trials

    return trials


@pytest.mark.slow
def test_one_command_prints_a_table(tmp_path):
    command = [sys.executable, str(BENCH / "trials.py"), "--quick", "--dry", "--modes", "pool", "stacked"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    losses = re.findall(r"^\| Pilotlight: .* \| ([\d.]+) \|$", done.stdout, re.M)
    assert len(losses) == 2
    assert losses[0] == losses[1], "a stack comes to what the pool comes to"
    assert "4 trials (2 learning rates x 2 seeds) of 2 steps" in done.stdout


def test_every_way_is_held_against_the_better_of_the_peers(bench):
    task = bench.Task(bench.Shape(1, 32, 2, 32, 2, 300), 2, (1e-3,), 2)
    times = {"pool": 5.0, "llama": 10.0, "llama-compiled": 20.0, "llama-each": 4.0}
    rows = bench.table(task, {mode: [bench.Timed(seconds, [1.0, 2.0])] for mode, seconds in times.items()})
    assert [re.split(r" \| ", row)[3] for row in rows[2:]] == ["2.00", "1.00", "0.50", "2.50"]
    assert [re.split(r" \| ", row)[2] for row in rows[2:]] == ["24.0", "12.0", "6.0", "30.0"]


def test_a_task_travels_as_text(bench):
    task = bench.Task(bench.Shape(1, 32, 2, 32, 2, 300), 2, (1e-3, 3e-3), 2, 5)
    assert bench.Task.from_json(task.to_json()) == task
    assert task.trials == [(1e-3, 5), (1e-3, 6), (3e-3, 5), (3e-3, 6)]
