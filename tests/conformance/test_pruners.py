"""Every way to give trials up keeps these promises."""

from __future__ import annotations

import json
import math
import re
import sys

import pytest

from pilotlight.pilot.course import Course
from pilotlight.pilot.pruners import Prune
from pilotlight.spec import discover

pytestmark = pytest.mark.parametrize("kind", discover(Prune.folder))

TENTHS = tuple(step / 10 for step in range(1, 11))


def course(end: float, at=TENTHS, *, cut: int | None = None) -> Course:
    """A trial that falls to ``end``; of one that was given up only the first ``cut`` evaluations."""
    losses = tuple(end * (1 + 0.3 * (share**-0.5 - 1)) for share in at)
    return Course(at, losses, end) if cut is None else Course(at[:cut], losses[:cut])


EARLIER = [course(2 + 0.03 * place + 0.004 * math.sin(9 * place)) for place in range(12)]
EARLIER += [course(2.6 + 0.1 * place, cut=3) for place in range(4)]


def stop(kind: str, trial: Course, number: int, earlier=EARLIER) -> tuple[int, str] | None:
    """At which evaluation before its end a trial is given up, and why."""
    prune = Prune.choose(kind)
    demand = prune.demand(earlier, number)
    for count in range(1, len(trial.shares) if demand else 1):
        why = prune.verdict(demand, Course(trial.shares[:count], trial.losses[:count]))
        if why:
            return count, why
    return None


def test_nothing_is_asked_for_before_there_is_enough_to_compare_with(kind):
    prune = Prune.choose(kind)
    assert [prune.demand(EARLIER[:count], number) for count in range(3) for number in range(8)] == [None] * 24


def test_the_best_of_all_is_never_given_up_and_what_is_far_behind_is(kind):
    ends = [stop(kind, course(3.5), number) for number in range(16)]
    assert sum(end is not None for end in ends) >= 8, "some may be spared, by their number"
    assert [stop(kind, course(1.9), number) for number in range(16)] == [None] * 16


def test_the_reason_names_the_numbers(kind):
    found = [end for number in range(16) if (end := stop(kind, course(3.5), number))]
    for _, why in found:
        assert len(re.findall(r"\d+\.\d{4}", why)) >= 1
        assert re.search(r"\b(?:12|16) earlier trials", why)
        assert not why.endswith(".")


def test_what_has_to_be_met_is_json_and_follows_from_the_earlier_trials_and_the_number_alone(kind):
    prune = Prune.choose(kind)
    for number in range(8):
        demand = prune.demand(EARLIER, number)
        assert prune.demand(list(reversed(EARLIER)), number) == demand
        assert json.loads(json.dumps(demand, allow_nan=False)) == demand


def test_a_loss_that_is_no_number_is_given_up(kind):
    broken = Course(TENTHS, (*course(2.0).losses[:2], *[float("nan")] * 8))
    ends = [stop(kind, broken, number) for number in range(16)]
    assert [end is not None for end in ends] == [stop(kind, course(3.5), number) is not None for number in range(16)]


def test_trials_of_other_lengths_are_compared_at_the_same_share(kind):
    often = tuple(step / 40 for step in range(1, 41))
    for number in range(8):
        assert stop(kind, course(1.9, often), number) is None
        assert (stop(kind, course(3.5, often), number) is None) == (stop(kind, course(3.5), number) is None)


def test_worse_on_the_way_is_never_given_up_later(kind):
    places = [stop(kind, course(1.9 + 0.05 * place), 0) for place in range(40)]
    ends = [len(TENTHS) if place is None else place[0] for place in places]
    assert ends == sorted(ends, reverse=True)


def test_settings_survive_json_and_need_neither_torch_nor_scipy(kind):
    prune = Prune.choose(kind)
    assert Prune.choose(prune.model_dump(mode="json")) == prune
    assert not {"torch", "scipy", "numpy"} & set(vars(sys.modules[type(prune).__module__]))
