"""Cores: workers are pinned where they fill the machine, and nowhere else."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from pilotlight.work.cores import available_cores, share_out, thread_variables


@given(
    cores=st.lists(st.integers(0, 63), unique=True, max_size=16), workers=st.integers(0, 16), threads=st.integers(1, 4)
)
def test_no_core_is_given_twice_and_every_worker_gets_the_same_number(cores, workers, threads):
    places = share_out(cores, workers, threads)
    assert len(places) == workers
    given_away = [core for place in places for core in place]
    assert len(set(given_away)) == len(given_away)
    if workers * threads == len(cores):
        assert sorted(given_away) == sorted(cores)
        assert {len(place) for place in places} <= {threads}
    else:
        assert given_away == []


def test_available_cores_are_those_this_process_may_use():
    if hasattr(os, "sched_getaffinity"):
        assert set(available_cores()) == os.sched_getaffinity(0)
    else:
        assert available_cores() == []


def test_numerical_libraries_are_told_their_number_of_threads():
    assert thread_variables(3)["OMP_NUM_THREADS"] == "3"
    assert set(thread_variables(3).values()) == {"3"}
