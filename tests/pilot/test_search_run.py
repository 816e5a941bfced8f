"""Real trainings in a search: one that is given up, and a whole search killed by a signal and gone on with."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import pytest

import tiny_pilot
from pilotlight.events import silent
from pilotlight.pilot import trial
from pilotlight.pilot.pilot import Pilot
from pilotlight.pilot.prepare import prepare
from pilotlight.spec import plain
from pilotlight.train.machine import Machine

SEARCH = {
    "space": {"train.optim.lr": {"low": 1e-3, "high": 0.1, "log": True}, "model.feedforward.kind": ["gelu", "swiglu"]},
    "trials": 6, "batch": 3, "sampler": {"kind": "tpe", "startup": 3}, "top": 1, "repeats": 1, "confirm": 2,
    "prune": {"least": 3}, "shade": [],
}  # fmt: skip


def test_a_training_out_of_bounds_is_given_up_again_at_the_same_place(tmp_path):
    path = tiny_pilot.write_plan(tmp_path / "plan.yaml", tiny_pilot.write_text(tmp_path / "text"))
    pilot = Pilot.load(path)
    tokens = prepare(pilot, tmp_path / "out", silent).tokens["baseline"]
    bounds = {"kind": "quantile", "shares": [0.3, 0.95], "losses": [1.0, 1.0], "runs": 5, "keep": 0.5}
    arguments = {
        "plan": plain(pilot.plan("baseline", "2k-2k", 0)), "machine": plain(Machine(threads=1, device="cpu")),
        "tokens": str(tokens.folder), "out": str(tmp_path / "run"), "prune": bounds,
    }  # fmt: skip
    first = trial.run(arguments, silent)
    assert "given up at step" in first["pruned"]
    assert first["metrics"]["bits_per_byte"] > 1
    assert trial.run(arguments, silent) == first
    assert not (tmp_path / "run" / "manifest.json").exists()


@pytest.mark.slow
def test_a_search_survives_sigkill_and_ends_as_if_nothing_had_happened(tmp_path):
    text = tiny_pilot.write_text(tmp_path / "text")
    plan = tiny_pilot.write_plan(tmp_path / "plan.yaml", text, search=SEARCH)
    from pilotlight.pilot.search import narrowed

    tiny_pilot.keep_calibration(narrowed(Pilot.load(plan)), 2)
    done = tiny_pilot.pilot("search", plan, "--out", tmp_path / "whole", "--workers", "2", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["trials"]) == 6
    command = [
        sys.executable,
        "-m",
        "pilotlight.cli.main",
        "search",
        str(plan),
        "--out",
        str(tmp_path / "out"),
        "--workers",
        "2",
    ]
    running = subprocess.Popen(
        command, env=tiny_pilot.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    ledger = tmp_path / "out" / "ledger.jsonl"
    for _ in range(2000):
        if ledger.is_file() and b'"kind": "search"' in ledger.read_bytes():
            break
        time.sleep(0.05)
    running.send_signal(signal.SIGKILL)
    running.wait()
    again = tiny_pilot.pilot("search", plan, "--out", tmp_path / "out", "--workers", "2", "--json")
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout) == found
