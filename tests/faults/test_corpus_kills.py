"""`pilot corpus build` is killed at random moments, alone and shared: the corpus is the same, byte for byte."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from glob import glob
from pathlib import Path

import pytest

from pilotlight.corpus.build import work_folder
from tiny_pilot import environment

pytestmark = [pytest.mark.fault, pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems")]


@pytest.fixture
def plan(tmp_path):
    """A pilot file over enough text for a few dozen units of work, with copies, near copies and broken records."""
    draw = random.Random(11)
    words = ["".join(draw.choices("abcdefghijklmnop", k=draw.randint(2, 9))) for _ in range(3000)]
    texts = tmp_path / "texts"
    texts.mkdir()
    for number in range(24):
        rows = [" ".join(draw.choices(words, k=160)) for _ in range(220)]
        rows += rows[:9] + [f"{row} and one more" for row in rows[9:14]]
        lines = [json.dumps({"text": row}) for row in rows]
        (texts / f"{number:02d}.jsonl").write_text("\n".join([*lines, "{"]), encoding="utf-8")
    path = tmp_path / "plan.yaml"
    path.write_text(
        "corpus:\n  sources: [{kind: folder, path: texts}]\n  steps: [unicode, exact, length, letters, near]\n",
        encoding="utf-8",
    )
    return path


def started(plan: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "pilotlight.cli.main", "corpus", "build", str(plan), "--out", str(out), *more]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), start_new_session=True
    )


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def units(out: Path) -> int:
    return len(glob(f"{work_folder(out)}/*/*/manifest.json"))  # noqa: PTH207, of folders that come and go


def kill_after(process: subprocess.Popen[str], out: Path, more: int) -> str:
    """Kill the process and its workers when ``more`` units have been finished, unless it is done before.

    Returns what it told.
    """
    before = units(out)
    while process.poll() is None and units(out) < before + more:
        time.sleep(0.002)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    return process.communicate()[1]


@pytest.mark.timeout(600)
def test_killed_at_random_moments_a_build_gives_the_same_corpus(plan, tmp_path):
    whole = started(plan, tmp_path / "whole", "--workers", "2")
    assert whole.communicate()[0] is not None
    assert whole.returncode == 0
    out, draw, kills = tmp_path / "out", random.Random(5), 0
    while True:
        process = started(plan, out, "--workers", "2")
        told = kill_after(process, out, draw.randint(1, 12))
        if process.returncode != -signal.SIGKILL:
            break
        kills += 1
    assert process.returncode == 0, told
    assert kills >= 3
    assert files_of(out) == files_of(tmp_path / "whole")
    assert not work_folder(out).exists()


@pytest.mark.timeout(600)
def test_one_of_two_commands_that_share_a_build_dies_and_the_other_finishes_it(plan, tmp_path, monkeypatch):
    whole = started(plan, tmp_path / "whole")
    whole.communicate()
    out = tmp_path / "out"
    monkeypatch.setenv("PILOTLIGHT_CLAIM_SECONDS", "2")
    first, second = started(plan, out, "--worker", "0/2"), started(plan, out, "--worker", "1/2")
    kill_after(first, out, 8)
    _, told = second.communicate(timeout=300)
    assert second.returncode == 0, told
    assert files_of(out) == files_of(tmp_path / "whole")
