"""Trials are given up by what was fixed before, after a kill as well; what was given up is no result."""

from __future__ import annotations

import json

import made_up_search
import pytest

from pilotlight.events import silent
from pilotlight.pilot.course import Course
from pilotlight.pilot.pruners.hyperband import Hyperband
from pilotlight.pilot.pruners.quantile import Quantile
from pilotlight.pilot.pruning import Bounds, Courses, Pruned, demands, likely
from pilotlight.record.results import Row
from pilotlight.train.events import Evaluated

TOLD = {"kind": "quantile", "shares": [0.3, 0.5, 0.9], "losses": [3.0, 2.0, 1.0], "runs": 6, "keep": 0.5}
RUNG = {"kind": "halving", "rungs": [{"share": 1 / 3, "loss": 2.0, "place": 2, "trials": 6}]}


def of(tmp_path, told=TOLD) -> Bounds:
    return Bounds.of({"prune": told, "plan": {"steps": 100}, "out": str(tmp_path)})


def row(name: str, status: str, **more) -> Row:
    return Row(name=name, variant=name, scale="1k-1k", seed=0, status=status, fingerprint="f" * 16, **more)


def ended(tmp_path, rates) -> list[Course]:
    """Courses of finished made-up runs at some learning rates, all of one seed."""
    made_up_search.KILLED.clear()
    for place, rate in enumerate(rates):
        plan = {"train": {"optim": {"lr": rate}}, "model": {"feedforward": {"kind": "gelu"}}, "seed": 0, "steps": 10}
        made_up_search.train({"plan": plan, "out": str(tmp_path / f"run{place}")}, silent)
    courses = Courses(tmp_path)
    return [courses.of(row(f"run{place}", "finished")) for place in range(len(rates))]


def log(tmp_path, *points: tuple[int, float]) -> None:
    """What an earlier process wrote of a training."""
    (tmp_path / "plan.json").write_text("{}", encoding="utf-8")
    lines = [{"kind": "step", "step": 40, "loss": 9.0}]
    lines += [{"kind": "evaluation", "step": step, "bits_per_byte": loss} for step, loss in points]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def test_bounds_are_the_quantile_of_the_losses_at_every_share_of_the_steps(tmp_path):
    courses = ended(tmp_path, [0.001, 0.004, 0.03])
    losses = sorted(course.end for course in courses)
    found = Quantile(keep=0.5, after=0.3, least=3).demand(courses, 3)
    assert min(found["shares"]) == 0.3
    assert found["losses"][found["shares"].index(0.5)] == pytest.approx(losses[1] * 1.2)
    assert Quantile(least=4).demand(courses, 3) is None
    harsh, mild = (Quantile(keep=keep, least=3).demand(courses, 3)["losses"][0] for keep in (0.1, 0.9))
    assert harsh < found["losses"][0] < mild


def test_a_course_is_what_was_evaluated_and_a_failed_trial_has_none(tmp_path):
    (course,) = ended(tmp_path, [0.004])
    assert course.shares == pytest.approx([step / 10 for step in range(1, 11)])
    assert course.losses == pytest.approx([course.end * (1 + 1 / step) for step in range(1, 11)])
    assert course.at(0.25) == pytest.approx(course.end * (1 + (1 / 2 + 1 / 3) / 2))
    assert course.at(0.05) is None
    cut = Courses(tmp_path).of(row("t001", "pruned", course=((0.1, 3.0), (0.2, 2.5))))
    assert (cut.end, cut.at(0.15), cut.at(0.3)) == (None, 2.75, None)
    assert Courses(tmp_path).of(row("t002", "failed")) is None


def test_a_trial_is_judged_between_the_bounds_and_not_before_or_at_the_end(tmp_path):
    seen = []
    bounds = of(tmp_path)
    watch = bounds.watching(seen.append)
    for step, loss in ((10, 99.0), (40, 2.49), (50, 2.0), (95, 99.0), (100, 99.0)):
        watch(Evaluated(step, "bits_per_byte", {"bits_per_byte": loss}))
    assert len(seen) == 5
    with pytest.raises(
        Pruned, match=r"step 40 of 100: 2\.5100 bits per byte.*50 % of 6 earlier trials were below 2\.5000"
    ):
        watch(Evaluated(40, "bits_per_byte", {"bits_per_byte": 2.51, "perplexity": float("inf")}))


def test_not_a_number_is_given_up(tmp_path):
    with pytest.raises(Pruned) as end:
        of(tmp_path).watching(silent)(Evaluated(40, "bits_per_byte", {"bits_per_byte": float("nan")}))
    assert end.value.told() == {"pruned": str(end.value), "metrics": {}, "course": []}


def test_what_was_evaluated_before_a_kill_counts(tmp_path):
    log(tmp_path, (40, 2.6))
    with pytest.raises(Pruned):
        of(tmp_path).look_back()
    of(tmp_path, None).look_back()


def test_a_loss_that_was_no_number_is_missing_in_the_log_and_is_given_up_all_the_same(tmp_path):
    log(tmp_path, (20, 2.6))
    with (tmp_path / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"kind": "evaluation", "step": 40}\n')
    with pytest.raises(Pruned, match="step 40 of 100: nan"):
        of(tmp_path).look_back()


def test_a_rung_between_two_processes_is_judged_as_in_one(tmp_path):
    log(tmp_path, (10, 3.0), (20, 2.4), (50, 9.0))
    bounds = of(tmp_path, {**RUNG, "rungs": [{**RUNG["rungs"][0], "share": 0.6}]})
    bounds.look_back()
    watch = bounds.watching(silent)
    for step, loss in ((30, 2.4), (40, 2.3)):  # the kill undid step 50
        watch(Evaluated(step, "bits_per_byte", {"bits_per_byte": loss}))
    with pytest.raises(Pruned, match=r"2\.1000 at the rung at 60 %") as end:
        watch(Evaluated(70, "bits_per_byte", {"bits_per_byte": 2.0}))
    assert end.value.course == [(0.1, 3.0), (0.2, 2.4), (0.3, 2.4), (0.4, 2.3), (0.7, 2.0)]


def test_without_bounds_nobody_judges(tmp_path):
    assert of(tmp_path, None).watching(silent) is silent


def test_only_those_that_have_to_meet_something_are_told(tmp_path):
    earlier = ended(tmp_path, [0.001, 0.002, 0.004, 0.008])
    found = demands(Hyperband(least=4), earlier, {f"t{number:03d}": number for number in range(8)})
    spared = {f"t{number:03d}" for number in range(8) if Hyperband().bracket(number) == 2}
    assert spared
    assert set(found) == {f"t{number:03d}" for number in range(8)} - spared
    assert {told["prune"]["kind"] for told in found.values()} == {"hyperband"}


def test_what_was_given_up_counts_as_what_came_of_trials_that_were_as_good_there():
    def course(loss: float) -> Course:
        return Course((0.2, 1.0), (loss, loss - 1), loss - 1)

    finished = [(course(3.0), 2.0), (course(3.2), 2.4), (course(3.6), 2.3)]
    assert likely(Course((0.2,), (3.1,)), finished) == pytest.approx(2.2), "between two of them"
    assert likely(Course((0.2,), (9.0,)), finished) == 2.4, "worse than all: the worst, and no worse"
    assert likely(Course((0.2,), (1.0,)), finished) == 2.0
    assert likely(Course((0.6,), (2.6,)), finished) == pytest.approx(2.2), "at its own share of the steps"
    assert likely(Course((), ()), finished) is None
    assert likely(Course((0.1,), (3.0,)), finished) is None, "nothing is known of others there"
