"""`pilot run` is killed, its workers are killed: the same command goes on and decides the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from glob import glob
from pathlib import Path

import psutil
import pytest

from pilotlight.pilot.pilot import Pilot
from pilotlight.record.results import Results
from tiny_pilot import environment, keep_calibration, write_plan

pytestmark = [pytest.mark.fault, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def plan(tmp_path, tiny_text):
    path = write_plan(tmp_path / "plan.yaml", tiny_text)
    keep_calibration(Pilot.load(path), 2)
    return path


@pytest.mark.timeout(1200)
def test_killed_at_random_moments_a_pilot_decides_the_same(plan, tmp_path):
    script = [
        sys.executable,
        str(ROOT / "bench" / "kills.py"),
        "--kills",
        "5",
        "--folder",
        str(tmp_path / "k"),
        str(plan),
    ]
    done = subprocess.run(script, capture_output=True, text=True, check=False, env=environment())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 SIGKILLs" in done.stdout
    assert "all the same, byte for byte" in done.stdout


def started(plan: Path, out: Path) -> subprocess.Popen:
    command = [sys.executable, "-m", "pilotlight.cli.main", "run", str(plan), "--out", str(out), "--workers", "2"]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), start_new_session=True
    )


def trainings(process: subprocess.Popen, out: Path) -> list[psutil.Process]:
    """The workers of a pilot, once a trial is under way."""
    for _ in range(1200):
        if process.poll() is not None:
            pytest.fail(f"the pilot ended: {process.stderr.read()}")
        if glob(f"{out}/runs/*/*/*/metrics.jsonl"):  # noqa: PTH207, of folders that come and go
            return psutil.Process(process.pid).children()
        time.sleep(0.05)
    pytest.fail("no trial began")


def test_a_killed_worker_costs_time_and_nothing_else(plan, tmp_path):
    out = tmp_path / "out"
    process = started(plan, out)
    for worker in trainings(process, out):
        worker.kill()
    _, said = process.communicate(timeout=200)
    assert process.returncode == 0, said
    assert {row.status for row in Results.open(out).rows} == {"finished"}
    assert (out / "decision.json").is_file()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_pilot_that_is_asked_to_stop_stops_soon_and_can_go_on(number, plan, tmp_path):
    out = tmp_path / "out"
    process = started(plan, out)
    workers = trainings(process, out)
    process.send_signal(number)
    begun = time.monotonic()
    _, said = process.communicate(timeout=60)
    assert time.monotonic() - begun < 20
    assert process.returncode not in (0, 1, 2)
    assert "Traceback" not in said
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)
    assert not (out / "decision.json").exists()
    again = started(plan, out)
    _, said = again.communicate(timeout=200)
    assert again.returncode == 0, said


def test_two_pilots_do_not_work_in_one_folder(plan, tmp_path):
    from pilotlight.errors import RecordError
    from pilotlight.work.lease import hold

    out = tmp_path / "out"
    process = started(plan, out)
    try:
        trainings(process, out)
        with pytest.raises(RecordError, match=f"in use.*process {process.pid}"), hold(out, wait=0.2):
            pass
        status = [sys.executable, "-m", "pilotlight.cli.main", "status", str(out), "--json"]
        done = subprocess.run(status, capture_output=True, text=True, check=False, env=environment())
        assert done.returncode == 0, done.stderr
        assert '"under way"' in done.stdout
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
