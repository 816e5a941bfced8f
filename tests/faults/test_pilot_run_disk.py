"""The disk fills up in the middle of a pilot: one sentence, nothing finished lost, and it goes on with room again."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pilotlight.pilot.pilot import Pilot
from pilotlight.record.results import Results
from tiny_pilot import environment, keep_calibration, write_plan, write_text

pytestmark = [pytest.mark.fault, pytest.mark.skipif(os.name != "posix", reason="limits of POSIX systems")]

COMMAND = """
import resource, sys
limit = int(sys.argv[1])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
sys.argv = ["pilot", *sys.argv[2:]]
from pilotlight.cli.main import main
main()
"""


@pytest.fixture
def run(tmp_path):
    text = write_text(tmp_path / "texts", documents=90)
    scales = [
        {"parameters": "2k", "tokens": 2000},
        {"parameters": "5k", "tokens": 4000, "seeds": 1, "baseline_only": True},
        {"parameters": "30k", "tokens": 6000, "seeds": 1, "baseline_only": True},
    ]
    goal = {"full_run": {"parameters": "60k", "tokens": "20k"}}
    path = write_plan(tmp_path / "plan.yaml", text, corpus={"held_out": "30%"}, goal=goal, scales=scales)
    keep_calibration(Pilot.load(path), 2)

    def go(room: int, out: str = "out") -> subprocess.CompletedProcess[str]:
        words = ["run", str(path), "--out", str(tmp_path / out), "--workers", "2", "--quiet"]
        command = [sys.executable, "-c", COMMAND, str(room), *words]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment(), timeout=250)

    return go


@pytest.mark.timeout(600)
@pytest.mark.parametrize("room", [50_000, 80_000])
def test_a_disk_that_is_full_while_trials_are_trained_is_said_and_the_pilot_goes_on_later(room, run, tmp_path):
    """The tokens (65 kB) do not fit; or they do, but the model of the largest rung (150 kB) does not."""
    full = run(room)
    assert full.returncode in (1, 3), full.stdout + full.stderr
    assert "Traceback" not in full.stderr
    assert "no space left" in full.stderr
    assert not (tmp_path / "out" / "decision.json").exists()
    done = run(0)
    assert done.returncode == 0, done.stderr
    assert {row.status for row in Results.open(tmp_path / "out").rows} == {"finished"}
    assert run(0, "other").returncode == 0
    decisions = [(tmp_path / out / "decision.json").read_bytes() for out in ("out", "other")]
    assert decisions[0] == decisions[1]
