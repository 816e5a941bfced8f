from __future__ import annotations

import pytest

from pilotlight.errors import DataError, RunError
from pilotlight.events import Progress
from pilotlight.manifest import read_manifest
from pilotlight.work.flow import Flow, Task
from pilotlight.work.pool import Pool


@pytest.fixture
def flow(tmp_path):
    with Pool(0) as inline:
        yield Flow(tmp_path / "work", inline)


def task(number, *inputs):
    return Task("flow_examples:add", inputs, {"number": number})


def sums(units):
    return [read_manifest(unit).facts["sum"] for unit in units]


def test_units_read_what_earlier_units_wrote_and_come_in_the_order_of_their_tasks(flow):
    first = flow.run("first", [task(number) for number in (5, 3, 4)])
    assert sums(first) == [5, 3, 4]
    assert sums(flow.run("second", [task(10, *first), task(0, first[1])])) == [22, 3]


def test_a_finished_unit_is_not_done_again_and_a_changed_setting_or_input_is_another_unit(flow):
    (one,) = flow.run("first", [task(1)])
    written = (one / "manifest.json").stat().st_mtime_ns
    assert flow.run("first", [task(1)]) == [one]
    assert (one / "manifest.json").stat().st_mtime_ns == written
    (other,) = flow.run("first", [task(2)])
    assert flow.run("second", [task(0, one)]) != flow.run("second", [task(0, other)])


def test_the_same_task_twice_is_one_unit(flow):
    one, two = flow.run("first", [task(1), task(1)])
    assert one == two


def test_results_of_another_version_are_not_used(tmp_path):
    with Pool(0) as inline:
        old = Flow(tmp_path, inline, "1").run("first", [task(1)])
        assert Flow(tmp_path, inline, "2").run("first", [task(1)]) != old


def test_an_error_of_the_user_keeps_its_kind_and_its_words_and_leaves_no_unit(flow):
    with pytest.raises(DataError, match=r"seven is no number\. Expected one\."):
        flow.run("first", [Task("flow_examples:refuse", (), {"what": "seven"})])
    assert not list(flow.folder.glob("*/*/manifest.json"))


def test_an_unexpected_error_says_where_its_traceback_is(flow):
    with pytest.raises(RunError, match=r"a unit of work failed: ZeroDivisionError.*The traceback is in "):
        flow.run("first", [Task("flow_examples:crash")])


def test_watchers_hear_how_many_parts_of_a_stage_are_done(tmp_path):
    events = []
    with Pool(0) as inline:
        Flow(tmp_path, inline, watch=events.append).run("first", [task(1), task(2)])
    progress = [(event.task, event.done, event.total) for event in events if isinstance(event, Progress)]
    assert progress == [("first", 0, 2), ("first", 1, 2), ("first", 2, 2)]


def test_after_a_crash_of_the_machine_damaged_units_are_done_again(flow, tmp_path):
    one, two = flow.run("first", [task(1), task(2)])
    (one / "sum.txt").write_bytes(b"")
    mark = next(flow.folder.glob("boot.*"))
    notes = []
    with Pool(0) as inline:
        Flow(flow.folder, inline, watch=notes.append)
        assert one.exists(), "the machine has not stopped since"
        mark.write_text("1000", encoding="utf-8")
        again = Flow(flow.folder, inline, watch=notes.append)
        assert not one.exists()
        assert two.exists()
        assert sums(again.run("first", [task(1), task(2)])) == [1, 2]
    assert any("damaged" in getattr(note, "text", "") for note in notes)
