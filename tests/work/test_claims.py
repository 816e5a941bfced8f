from __future__ import annotations

import os
import shutil
import threading
import time

import pytest

from pilotlight.errors import DataError
from pilotlight.manifest import read_manifest
from pilotlight.work.claims import Claims
from pilotlight.work.flow import Flow, Task
from pilotlight.work.pool import Pool


def tasks(count):
    return [Task("flow_examples:add", (), {"number": number}) for number in range(count)]


class Counting:
    """An executor that counts what it is given."""

    def __init__(self) -> None:
        self.keys = []

    def run(self, units, *, watch=lambda event: None):
        self.keys += [unit.key for unit in units]
        with Pool(0) as inline:
            yield from inline.run(units, watch=watch)


def test_commands_that_share_the_work_do_each_unit_once_and_all_see_every_result(tmp_path):
    inner, found = [Counting() for _ in range(3)], {}

    def share(number):
        flow = Flow(tmp_path / "work", Claims(tmp_path / "claims", (number, 3), inner[number]))
        found[number] = flow.run("first", tasks(30))

    threads = [threading.Thread(target=share, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    keys = [key for executor in inner for key in executor.keys]
    assert len(keys) == len(set(keys)) == 30
    assert found[0] == found[1] == found[2]
    assert [read_manifest(unit).facts["sum"] for unit in found[0]] == list(range(30))


def test_the_claim_of_a_dead_command_is_taken_over_and_that_of_a_living_one_is_not(tmp_path):
    dead = Claims(tmp_path / "claims", (0, 1), Counting(), stale=0.5)
    flow = Flow(tmp_path / "work", dead)
    flow.run("first", tasks(1))
    (path,) = flow.folder.glob("first/*")
    shutil.rmtree(path)  # as if it had died over it
    from pilotlight.work.unit import Unit

    key = f"first/{path.name}"
    unit = Unit(key=key, call="x:y", arguments={"folder": str(path)})
    assert dead._claim(unit)
    began = time.monotonic()
    claim = dead._path(unit)
    touching = threading.Event()

    def touch():
        for _ in range(5):
            time.sleep(0.2)
            os.utime(claim)
        touching.set()

    threading.Thread(target=touch).start()
    other = Flow(tmp_path / "work", Claims(tmp_path / "claims", (0, 1), Counting(), stale=0.5))
    (again,) = other.run("first", tasks(1))
    assert touching.is_set()
    assert time.monotonic() - began > 1.0
    assert (again / "manifest.json").is_file()
    assert not list((tmp_path / "claims").glob("[0-9a-f]*"))


def test_a_unit_that_fails_frees_its_claim_for_the_next_try(tmp_path):
    flow = Flow(tmp_path / "work", Claims(tmp_path / "claims", (0, 2), Counting()))
    with pytest.raises(DataError, match="seven is no number"):
        flow.run("first", [Task("flow_examples:refuse", (), {"what": "seven"})])
    assert not list((tmp_path / "claims").glob("[0-9a-f]*"))
