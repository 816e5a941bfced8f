"""Kills of workers and of whole commands: nothing is lost, nothing is done twice, nobody is left behind."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from pilotlight.record.ledger import Ledger
from pilotlight.work.pool import Pool
from pilotlight.work.unit import Unit, UnitStarted

pytestmark = [
    pytest.mark.fault,
    pytest.mark.skipif(os.name != "posix", reason="signals of POSIX systems"),
]

EXAMPLES = str(Path(__file__).parents[1] / "work")

COMMAND = """
import json, sys
from pathlib import Path
sys.path.append(sys.argv[1])
from pilotlight.work.pool import Pool
from pilotlight.work.unit import Unit
with Pool(2, grace=float(sys.argv[3])) as pool:
    for outcome in pool.run([Unit.model_validate(unit) for unit in json.loads(sys.argv[2])]):
        print(outcome.status, flush=True)
"""

STUDY = """
import sys
from pathlib import Path
sys.path.append(sys.argv[1])
from pilotlight.record.ledger import Ledger
from pilotlight.work.lease import hold
from pilotlight.work.pool import Pool
from pilotlight.work.unit import Unit
out = Path(sys.argv[2])
with hold(out) as lease, Pool(2, keep=lease.keep) as pool:
    ledger = Ledger(out / "ledger.jsonl")
    units = [
        Unit(key=f"trial-{n}", call="pool_examples:resume",
             arguments={"folder": str(out / f"trial-{n}"), "steps": 4, "seconds": 0.03})
        for n in range(12)
    ]
    done = {entry.facts["key"] for entry in ledger.entries("trial")}
    missing = [unit for unit in units if unit.key not in done]
    for outcome in pool.run(missing):
        ledger.append("trial", key=outcome.unit.key, status=outcome.status, **outcome.result)
"""


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def all_gone(pids: list[int], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while any(lives(pid) for pid in pids):
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def start_command(folder: Path, call: str, grace: float = 2.0) -> tuple[subprocess.Popen, list[int]]:
    """Return a command whose two units are under way, and every process below it."""
    import json

    marks = [folder / "first", folder / "second"]
    units = [
        Unit(key=mark.name, call=f"pool_examples:{call}", arguments={"mark": str(mark), "seconds": 60}).model_dump()
        for mark in marks
    ]
    command = subprocess.Popen([sys.executable, "-c", COMMAND, EXAMPLES, json.dumps(units), str(grace)])
    end = time.monotonic() + 20
    while not all(mark.exists() and mark.read_text() for mark in marks):
        assert time.monotonic() < end, "the units never began"
        time.sleep(0.01)
    return command, [child.pid for child in psutil.Process(command.pid).children(recursive=True)]


def test_twenty_kills_of_workers_leave_every_unit_with_one_result(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES)
    units = [
        Unit(
            key=f"trial-{n}",
            call="pool_examples:resume",
            arguments={"folder": str(tmp_path / f"{n}"), "steps": 5, "seconds": 0.05},
        )
        for n in range(12)
    ]
    chance, seen, kills = random.Random(20), set(), 0
    began, done = threading.Semaphore(0), threading.Event()
    pool = Pool(2, retries=20)

    def watch(event):
        if isinstance(event, UnitStarted):
            began.release()

    def kill_workers():
        nonlocal kills
        while kills < 20 and not done.is_set():
            if not began.acquire(timeout=0.1):
                continue
            time.sleep(0.2 * chance.random())
            seen.update(pool.pids)
            with contextlib.suppress(ProcessLookupError, IndexError):
                os.kill(chance.choice(pool.pids), signal.SIGKILL)
                kills += 1

    killer = threading.Thread(target=kill_workers, daemon=True)
    with pool:
        killer.start()
        outcomes = list(pool.run(units, watch=watch))
    done.set()
    killer.join()
    assert sorted(outcome.unit.key for outcome in outcomes) == sorted(unit.key for unit in units)
    assert {(outcome.status, outcome.result["steps"]) for outcome in outcomes} == {("finished", 5)}
    assert sum(outcome.attempts - 1 for outcome in outcomes) <= kills
    assert kills == 20
    assert all_gone(list(seen), 1.0)
    assert not psutil.Process().children()


@pytest.mark.parametrize("call", ["sleep", "stubborn", "with_child"])
def test_a_killed_command_leaves_no_process_behind_after_a_second(call, tmp_path):
    command, pids = start_command(tmp_path, call)
    assert len(pids) == (4 if call == "with_child" else 2)
    command.kill()
    command.wait()
    assert all_gone(pids, 1.0)


@pytest.mark.skipif(sys.platform != "linux", reason="needs a signal at the parent's death")
def test_not_even_a_unit_that_never_lets_go_of_the_interpreter_outlives_its_command(tmp_path):
    command, pids = start_command(tmp_path, "hold_interpreter")
    command.kill()
    command.wait()
    assert all_gone(pids, 3.0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_stopped_command_gives_its_units_time_to_tidy_up(number, tmp_path):
    command, pids = start_command(tmp_path, "tidy")
    command.send_signal(number)
    assert command.wait(10) != 0
    assert [(tmp_path / name).read_text() for name in ("first", "second")] == ["tidied", "tidied"]
    assert all_gone(pids, 0.5)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_units_that_do_not_want_to_stop_are_killed_after_the_grace(number, tmp_path):
    command, pids = start_command(tmp_path, "stubborn", grace=0.5)
    started = time.monotonic()
    command.send_signal(number)
    command.wait(10)
    assert time.monotonic() - started < 4
    assert all_gone(pids, 0.5)


def test_a_second_interrupt_does_not_wait_for_the_grace(tmp_path):
    command, pids = start_command(tmp_path, "stubborn", grace=60)
    command.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert command.poll() is None
    command.send_signal(signal.SIGINT)
    command.wait(5)
    assert all_gone(pids, 0.5)


def test_twenty_kills_of_the_command_lose_no_unit_and_do_none_twice(tmp_path):
    arguments = [sys.executable, "-c", STUDY, EXAMPLES, str(tmp_path)]
    chance = random.Random(25)
    for _ in range(20):
        command = subprocess.Popen(arguments)
        with contextlib.suppress(subprocess.TimeoutExpired):
            command.wait(0.25 + 0.4 * chance.random())
        command.kill()
        command.wait()
    subprocess.run(arguments, check=True, timeout=60)
    ledger = Ledger(tmp_path / "ledger.jsonl")
    ledger.verify()
    assert sorted(entry.facts["key"] for entry in ledger.entries("trial")) == sorted(f"trial-{n}" for n in range(12))
    assert {(entry.facts["status"], entry.facts["steps"]) for entry in ledger.entries("trial")} == {("finished", 4)}
