"""Pools: every unit gets exactly one outcome, whatever happens to its worker."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from pilotlight.errors import ConfigError, ResourceError
from pilotlight.events import Progress
from pilotlight.work.pool import Pool
from pilotlight.work.unit import Outcome, Unit, UnitEvent, UnitRetried, UnitStarted


@pytest.fixture(scope="module", autouse=True)
def examples():
    sys.path.insert(0, str(Path(__file__).parent))
    yield
    sys.path.remove(str(Path(__file__).parent))


@pytest.fixture(scope="module")
def logs(tmp_path_factory):
    return tmp_path_factory.mktemp("logs")


@pytest.fixture(scope="module")
def pool(logs):
    """A pool for the tests that leave its workers whole."""
    with Pool(2, logs=logs) as shared:
        yield shared


@pytest.fixture(params=["in this process", "in workers"])
def either(request, pool, logs):
    return pool if request.param == "in workers" else Pool(0, logs=logs)


def unit(name: str, key: str = "", **more) -> Unit:
    timeout = more.pop("timeout", None)
    return Unit(key=key or name, call=f"pool_examples:{name}", arguments=more, timeout=timeout)


def alone(workers: int, *units: Unit, **settings) -> list[Outcome]:
    with Pool(workers, **settings) as pool:
        return list(pool.run(units))


def test_every_unit_gets_one_outcome_with_its_result(pool):
    outcomes = list(pool.run([unit("add", f"add {n}", left=n, right=1) for n in range(20)]))
    assert sorted(outcome.result["sum"] for outcome in outcomes) == list(range(1, 21))
    assert {(outcome.status, outcome.attempts, outcome.error) for outcome in outcomes} == {("finished", 1, "")}


def test_units_are_started_in_the_given_order():
    units = [unit("add", f"add {n}", left=n, right=1) for n in (3, 1, 2, 0)]
    assert [outcome.unit for outcome in alone(1, *units)] == units


def test_outcomes_come_in_the_order_of_completion(pool):
    slow, quick = unit("sleep", "slow", seconds=0.4), unit("sleep", "quick", seconds=0.0)
    assert [outcome.unit.key for outcome in pool.run([slow, quick])] == ["quick", "slow"]


def test_workers_stay_alive_between_runs(pool):
    def workers():
        units = [unit("surroundings", "one"), unit("sleep", "two", seconds=0.1)]
        return {outcome.result["pid"] for outcome in pool.run(units)}

    assert workers() == workers() == set(pool.pids)


def test_what_a_unit_prints_and_reads_does_not_reach_the_pool(pool):
    outcomes = list(pool.run([unit("chatter", f"chatter {n}") for n in range(3)]))
    assert [outcome.result for outcome in outcomes] == [{"said": True}] * 3


def test_events_reach_the_watcher_as_what_they_were(either):
    events: list = []
    list(either.run([unit("progress")], watch=events.append))
    assert events[0] == UnitStarted("progress", 1)
    assert all(isinstance(event, UnitEvent) and event.key == "progress" for event in events[1:])
    told = [event.event for event in events[1:]]
    assert told[:3] == [Progress("count", done, 3, unit="steps") for done in range(3)]
    assert told[4] == {"loss": 2.5}


def test_an_event_of_a_class_that_only_the_worker_knows_is_a_mapping(pool, monkeypatch):
    monkeypatch.delitem(sys.modules, "pool_examples", raising=False)
    events: list = []
    list(pool.run([unit("progress")], watch=events.append))
    assert events[4].event == {"event": "pool_examples:OnlyHere", "number": 7}
    assert "pool_examples" not in sys.modules


def test_a_user_error_is_one_sentence_and_not_tried_again(either, logs):
    (outcome,) = either.run([unit("user_error")])
    assert (outcome.status, outcome.error_class, outcome.attempts) == ("failed", "DataError", 1)
    assert outcome.error == "the corpus is empty: expected at least one document. Add text."
    assert outcome.traceback == ""


def test_an_unexpected_error_leaves_its_traceback_in_a_file(either, logs):
    (outcome,) = either.run([unit("bug", "trial/a b")])
    assert (outcome.status, outcome.error_class, outcome.attempts) == ("failed", "ZeroDivisionError", 1)
    assert outcome.error == "ZeroDivisionError: nothing to divide by"
    assert Path(outcome.traceback).parent == logs
    assert "in bug" in Path(outcome.traceback).read_text()


@pytest.mark.parametrize(
    ("broken", "error_class"),
    [
        (unit("leave"), "SystemExit"),
        (unit("bad_result"), "TypeError"),
        (unit("bad_result", loss="nan"), "ValueError"),
        (unit("nowhere"), "AttributeError"),
        (Unit(key="no module", call="no_such_module:run"), "ModuleNotFoundError"),
    ],
    ids=["exit", "no mapping", "NaN", "no function", "no module"],
)
def test_a_broken_unit_fails_and_the_others_run(either, broken, error_class):
    outcomes = {outcome.unit.key: outcome for outcome in either.run([broken, unit("add", left=1, right=1)])}
    assert (outcomes[broken.key].status, outcomes[broken.key].error_class) == ("failed", error_class)
    assert outcomes["add"].result == {"sum": 2}


def test_the_last_words_of_a_failed_unit_are_kept(pool):
    outcomes = list(pool.run([unit("user_error", f"{n}") for n in range(4)]))
    assert [outcome.output for outcome in outcomes] == ["the last words"] * 4


def test_a_lost_worker_costs_an_attempt_and_no_result(tmp_path):
    events: list = []
    with Pool(1) as pool:
        (outcome,) = pool.run([unit("die_until", folder=str(tmp_path), times=2)], watch=events.append)
    assert (outcome.status, outcome.result, outcome.attempts) == ("finished", {"tries": 3}, 3)
    retried = [event for event in events if isinstance(event, UnitRetried)]
    assert [event.attempt for event in retried] == [1, 2]
    assert "SIGKILL" in retried[0].cause


def test_a_unit_that_kills_every_worker_does_not_stop_the_others():
    units = [unit("die", "poison"), *(unit("add", f"add {n}", left=n, right=0) for n in range(8))]
    outcomes = {outcome.unit.key: outcome for outcome in alone(2, *units)}
    assert outcomes["poison"].status == "killed"
    assert outcomes["poison"].attempts == 3
    assert "lost 3 times" in outcomes["poison"].error
    assert outcomes["poison"].output == "about to die"
    assert [outcomes[f"add {n}"].result for n in range(8)] == [{"sum": n} for n in range(8)]


@pytest.mark.parametrize(
    ("killer", "cause"),
    [(unit("die", signal="SIGSEGV"), "SIGSEGV"), (unit("exit_hard"), "status 7")],
    ids=["segmentation fault", "exit"],
)
def test_the_error_says_how_the_worker_died(killer, cause):
    (outcome,) = alone(1, killer, retries=0)
    assert (outcome.status, outcome.attempts) == ("killed", 1)
    assert cause in outcome.error


def test_a_unit_without_a_sign_of_life_is_killed_with_a_clear_error():
    started = time.monotonic()
    (outcome,) = alone(1, unit("sleep", seconds=60, timeout=0.3), retries=0)
    assert outcome.status == "killed"
    assert "no sign of life" in outcome.error
    assert time.monotonic() - started < 5


def test_a_unit_that_tells_its_watcher_something_is_no_hung_unit():
    (outcome,) = alone(1, unit("sleep", seconds=0.4, beats=3, timeout=0.9), retries=0)
    assert outcome.status == "finished"


def test_a_caller_that_takes_its_time_does_not_make_its_workers_look_hung():
    with Pool(2, retries=0) as pool:
        units = [unit("add", left=1, right=1), unit("sleep", seconds=0.3, beats=6, timeout=1.0)]
        run = pool.run(units)
        next(run)
        time.sleep(1.4)
        assert next(run).status == "finished"


def test_workers_hold_to_their_threads_and_never_import_torch():
    (outcome,) = alone(1, unit("surroundings"), threads=3)
    assert outcome.result["threads"] == "3"
    assert outcome.result["torch"] is False


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system pins no processes")
def test_workers_that_fill_the_machine_each_have_cores_of_their_own():
    cores = len(os.sched_getaffinity(0))
    if cores > 8:
        pytest.skip("one worker per core would be many here")
    units = [unit("surroundings", f"{n}") for n in range(3 * cores)]
    places = {outcome.result["pid"]: tuple(outcome.result["cores"]) for outcome in alone(cores, *units)}
    assert all(len(place) == 1 for place in places.values())
    assert len(set(places.values())) == len(places)


def test_no_worker_outlives_its_pool(tmp_path):
    with Pool(2) as pool:
        list(pool.run([unit("add", f"{n}", left=n, right=1) for n in range(4)]))
        pids = pool.pids
    assert pids
    assert not any(is_alive(pid) for pid in pids)


def test_an_error_of_the_caller_ends_the_workers_and_lets_units_tidy_up(tmp_path):
    mark = tmp_path / "mark"

    def fail_once_it_began(event):
        while not mark.exists() or mark.read_text() != "began":
            time.sleep(0.01)
        raise KeyboardInterrupt

    pool = Pool(1)
    with pytest.raises(KeyboardInterrupt), pool:
        list(pool.run([unit("tidy", mark=str(mark))], watch=fail_once_it_began))
    assert mark.read_text() == "tidied"
    assert pool.pids == []


def test_leaving_the_iteration_early_abandons_what_is_under_way():
    with Pool(2, grace=0.5) as pool:
        run = pool.run([unit("add", left=1, right=1), unit("stubborn", seconds=60)])
        assert next(run).result == {"sum": 2}
        run.close()
        assert [outcome.result for outcome in pool.run([unit("add", left=2, right=2)])] == [{"sum": 4}]


def test_a_pool_can_be_used_from_another_thread_than_the_main_one():
    found: list = []
    with Pool(1) as pool:
        for _ in range(2):
            thread = threading.Thread(target=lambda: found.extend(pool.run([unit("add", left=1, right=1)])))
            thread.start()
            thread.join()
    assert [outcome.attempts for outcome in found] == [1, 1]


def test_two_units_with_one_key_are_refused(pool):
    with pytest.raises(ConfigError, match="'add'"):
        pool.run([unit("add", left=1, right=1), unit("add", left=2, right=2)])


def test_a_pool_runs_one_list_of_units_at_a_time(pool):
    run = pool.run([unit("add", left=1, right=1), unit("sleep", seconds=0.2)])
    next(run)
    with pytest.raises(ConfigError, match="busy"):
        pool.run([unit("add", left=1, right=1)])
    assert len(list(run)) == 1


def test_an_impossible_pool_is_refused():
    with pytest.raises(ConfigError, match="-1 workers"):
        Pool(-1)


def test_workers_that_cannot_start_are_an_error_that_quotes_them(monkeypatch, tmp_path):
    (tmp_path / "pydantic.py").write_text("raise ImportError('no such luck')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ResourceError, match="no such luck"):
        alone(1, unit("add", left=1, right=1))


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
