"""Leases: one command at a time writes into a folder, and a killed one needs no cleaning up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from pilotlight.errors import RecordError, ResourceError
from pilotlight.work.lease import hold

HOLDER = """
import sys, time
from pathlib import Path
from pilotlight.work.lease import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def start_holder(folder, seconds):
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), str(seconds)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def end(holder):
    holder.kill()
    holder.wait()
    holder.stdout.close()


def test_a_lease_makes_the_folder_and_can_be_taken_again(tmp_path):
    for _ in range(2):
        with hold(tmp_path / "new" / "folder", wait=0) as lease:
            assert lease.folder.is_dir()
            assert json.loads((lease.folder / ".lock").read_text())["pid"] == os.getpid()


def test_a_folder_in_use_is_refused_with_the_number_of_its_process(tmp_path):
    holder = start_holder(tmp_path, 30)
    try:
        with pytest.raises(RecordError, match=rf"in use .*process {holder.pid}.*--out"), hold(tmp_path, wait=0.2):
            pytest.fail("two processes held one folder")
    finally:
        end(holder)


def test_the_next_command_waits_until_the_first_is_done(tmp_path):
    holder = start_holder(tmp_path, 0.3)
    started = time.monotonic()
    with hold(tmp_path, wait=10):
        assert time.monotonic() - started > 0.1
    end(holder)


def test_a_killed_holder_leaves_nothing_to_clean_up(tmp_path):
    holder = start_holder(tmp_path, 30)
    os.kill(holder.pid, signal.SIGKILL)
    end(holder)
    with hold(tmp_path, wait=0):
        pass


@pytest.mark.skipif(os.name != "posix", reason="leases are inherited on POSIX systems")
def test_a_folder_is_held_as_long_as_a_process_that_inherited_the_lease_lives(tmp_path):
    with hold(tmp_path, wait=0) as lease:
        worker = subprocess.Popen(["sleep", "30"], pass_fds=lease.keep)
    with pytest.raises(RecordError, match=r"process \d+"), hold(tmp_path, wait=0):
        pytest.fail("the folder of a living worker was given away")
    worker.kill()
    worker.wait()
    with hold(tmp_path, wait=5):
        pass


def test_workers_of_a_dead_command_are_named_as_such(tmp_path):
    with hold(tmp_path, wait=0) as lease:
        worker = subprocess.Popen(["sleep", "30"], pass_fds=lease.keep)
    dead = subprocess.Popen(["true"])
    dead.wait()
    signed = json.loads((tmp_path / ".lock").read_text())
    (tmp_path / ".lock").write_text(json.dumps({**signed, "pid": dead.pid}))
    try:
        with pytest.raises(RecordError, match=f"workers of process {dead.pid}"), hold(tmp_path, wait=0):
            pytest.fail("the folder of a living worker was given away")
    finally:
        worker.kill()
        worker.wait()


def test_a_folder_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResourceError, match="--out"), hold(tmp_path / "file" / "folder"):
        pytest.fail("a folder inside a file")
