"""Each way to give trials up does what it says, by numbers worked out by hand or simulated."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pilotlight.pilot.course import Course
from pilotlight.pilot.pruners import Prune
from pilotlight.pilot.pruners._rungs import places, rungs
from pilotlight.pilot.pruners.forecast import Forecast, chance_below, line, predicted
from pilotlight.pilot.pruners.halving import Halving
from pilotlight.pilot.pruners.hyperband import Hyperband
from pilotlight.pilot.pruners.quantile import Quantile
from pilotlight.pilot.search_settings import Search
from pilotlight.randomness import stream
from pilotlight.stats.student import critical

SPACE = {"train.rows": [8, 16]}


def straight(start: float, end: float, *, cut: float | None = None) -> Course:
    """A trial whose loss falls on a straight line; given up at the share ``cut``."""
    shares = [step / 10 for step in range(1, 11) if cut is None or step / 10 <= cut]
    return Course(tuple(shares), tuple(start + (end - start) * share for share in shares), None if cut else end)


@pytest.mark.parametrize("given", [{}, {"kind": "quantile"}, "quantile", {"after": "30%", "keep": "50%", "least": 5}])
def test_without_a_kind_it_is_the_quantile_as_ever(given):
    assert Search(space=SPACE, prune=given).prune == Quantile(keep=0.5, after=0.3, least=5)
    assert Search(space=SPACE).prune is None


@pytest.mark.parametrize(("given", "told"), [
    ({"kind": "median"}, "no prune is called 'median'; expected one of forecast, halving, hyperband, quantile"),
    ({"chance": 0.1}, "Extra inputs"), ({"kind": "halving", "factor": 1}, "greater than or equal to 1.5"),
    ({"kind": "forecast", "chance": 0}, "greater than 0"),
])  # fmt: skip
def test_what_makes_no_sense_is_refused(given, told):
    with pytest.raises(ValueError, match=told):
        Search(space=SPACE, prune=given)


def test_a_misspelt_field_without_a_kind_is_told_the_fields_of_the_quantile(tmp_path):
    from pilotlight.errors import ConfigError
    from pilotlight.plan_file import load

    path = tmp_path / "search.yaml"
    path.write_text("space: {train.rows: [8, 16]}\nprune: {kep: 50%}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"search\.yaml:2:.*prune\.kep: there is no such field.*keep"):
        load(path, Search)


@pytest.mark.parametrize(("factor", "first", "found"), [
    (3, 0.1, (1 / 9, 1 / 3)), (2, 0.25, (0.25, 0.5)), (4, 0.5, ()), (3, 1 / 9, (1 / 9, 1 / 3)),
])  # fmt: skip
def test_rungs_are_the_powers_of_the_factor(factor, first, found):
    assert rungs(factor, first) == pytest.approx(found)


def test_the_best_third_at_a_rung_counts_the_trial_itself_and_those_that_were_given_up_there():
    assert [places(count, 3) for count in (0, 1, 4, 5, 8, 26)] == [1, 1, 1, 2, 3, 9]
    finished = [straight(4, 1 + place / 10) for place in range(4)]
    cut = [straight(4, 2 + place / 10, cut=0.4) for place in range(4)]
    demand = Halving(first=0.3).demand([*finished, *cut], 7)
    third = sorted(4 - (4 - end) / 3 for end in (1, 1.1, 1.2, 1.3, 2, 2.1, 2.2, 2.3))
    assert demand["rungs"] == [{"share": 1 / 3, "loss": pytest.approx(third[2]), "place": 3, "trials": 8}]
    assert Halving(first=0.3, least=4).demand(finished, 7)["rungs"][0]["loss"] == pytest.approx(third[0])
    assert Halving(first=0.3, least=5).demand(finished, 7) is None


def test_a_rung_is_judged_once_between_the_evaluations_about_it_and_passed_over_before_the_first():
    demand = {"rungs": [{"share": 1 / 3, "loss": 2.0, "place": 2, "trials": 6}]}
    worse = Course((0.2, 0.4), (2.4, 2.2))
    why = Halving.verdict(demand, worse)
    assert why == "and 2.2667 at the rung at 33 % of the steps, where the best 2 of 6 earlier trials had 2.0000 or less"
    assert Halving.verdict(demand, Course((0.2, 0.4), (2.4, 1.6))) == "", "1.8667 at the rung"
    assert Halving.verdict(demand, Course((0.2,), (2.4,))) == ""
    assert Halving.verdict(demand, Course((0.2, 0.4, 0.6), (2.4, 2.2, 2.1))) == "", "the rung is behind it"
    assert Halving.verdict(demand, Course((0.4,), (9.0,))) == "", "nothing is known of the rung"


def test_brackets_follow_from_the_number_and_take_about_as_many_steps_each():
    prune = Hyperband()
    brackets = [prune.bracket(number) for number in range(1700)]
    assert brackets == [prune.bracket(number) for number in range(1700)]
    assert [brackets.count(skipped) for skipped in range(3)] == pytest.approx([918, 459, 306], rel=0.1)  # 3, 1.5 and 1
    assert {prune.bracket(number) for number in range(8)} == {0, 1, 2}
    earlier = [straight(4, 1 + place / 10) for place in range(8)]
    for number in range(20):
        demand, skipped = prune.demand(earlier, number), prune.bracket(number)
        assert (demand is None) == (skipped == 2)
        if demand:
            assert [rung["share"] for rung in demand["rungs"]] == pytest.approx([1 / 9, 1 / 3][skipped:])
            assert f"bracket {skipped + 1} of 3" in prune.verdict(demand, straight(9, 9, cut=0.4))


def test_the_line_is_least_squares_with_many_trials_and_has_slope_1_with_hardly_any_scatter():
    draw = stream(0, "line")
    xs = draw.normal(0.2, 0.1, 400)
    ys = 0.3 + 0.6 * xs + draw.normal(0, 0.01, 400)
    fit = line(xs.tolist(), ys.tolist())
    slope, middle = np.polyfit(xs, ys, 1)
    assert fit["slope"] == pytest.approx(slope, abs=1e-3)
    assert predicted(fit, 0.4)[0] == pytest.approx(middle + 0.4 * slope, abs=2e-4)
    assert predicted(fit, 0.2)[1] == pytest.approx(0.01, rel=0.1)
    few = line([0.2, 0.2001, 0.1999, 0.2, 0.2002], [0.1, 0.14, 0.1, 0.12, 0.07])
    assert few["slope"] == pytest.approx(1, abs=0.05), "trials that are alike on the way say nothing about the slope"


@pytest.mark.parametrize(
    ("count", "slope", "noise"), [(5, 1.0, 0.01), (5, 0.6, 0.02), (8, 1.0, 0.01), (12, 1.4, 0.005)]
)
def test_the_forecast_holds_new_ends_as_often_as_it_says(count, slope, noise):
    draw = stream(1, "coverage", str(count))
    held, below = [], []
    for _ in range(2000):
        xs = draw.normal(0, 0.03, count + 1)
        ys = 0.1 + slope * xs + draw.normal(0, noise, count + 1)
        fit = line(xs[:-1].tolist(), ys[:-1].tolist())
        value, error = predicted(fit, xs[-1])
        held.append(abs(ys[-1] - value) <= critical(0.9, fit["degrees"]) * error)
        chance = chance_below(fit, float(min(ys[:-1])), xs[-1])
        below.append((chance, ys[-1] < min(ys[:-1])))
    assert 0.88 < np.mean(held) < 0.96
    unlikely = [found for chance, found in below if chance < 0.05]
    assert len(unlikely) > 200
    assert np.mean(unlikely) < 0.05


def test_a_worse_trial_never_has_the_larger_chance_however_unsure_the_slope_is():
    fit = line([0.2, 0.21, 0.19, 0.2, 0.22], [0.1, 0.16, 0.12, 0.05, 0.13])
    chances = [chance_below(fit, 0.05, 0.1 + 0.02 * place) for place in range(200)]
    assert chances == sorted(chances, reverse=True)
    assert chances[0] > 0.5 > chances[-1]


def test_a_trial_is_given_up_by_its_forecast_with_all_numbers_in_the_reason():
    earlier = [straight(4 * factor, 2 * factor) for factor in (1.0, 1.02, 1.05, 1.1, 1.15, 1.2)]
    demand = Forecast().demand(earlier, 9)
    assert demand["best"] == 2.0
    assert min(fit["share"] for fit in demand["fits"]) == pytest.approx(0.2)
    assert demand["fits"][0]["slope"] == pytest.approx(1)
    why = Forecast.verdict(demand, straight(4.4, 2.2, cut=0.3))
    assert why.startswith("from where 6 earlier trials lead to 2.2000 [2.1")
    assert "below the best of them, 2.0000, is" in why
    assert why.endswith("%, less than 5 %")
    assert Forecast.verdict(demand, straight(4.4, 2.2, cut=0.1)) == "", "too early"
    assert Forecast.verdict(demand, straight(4.004, 2.002, cut=0.3)) == "", "as good as the best"
    assert Forecast(least=7).demand(earlier, 9) is None
    assert Forecast(least=6).demand([*earlier[1:], straight(4, 2, cut=0.5)], 9) is None, "it has no end"


def test_a_smaller_chance_gives_fewer_up():
    draw = stream(2, "chance")
    starts = draw.normal(4, 0.2, 10)
    earlier = [straight(start, start / 2 * math.exp(draw.normal(0, 0.02))) for start in starts]
    trial = straight(3.8, 1.9, cut=0.5)
    assert Forecast.verdict(Forecast(chance=0.3).demand(earlier, 0), trial) != ""
    assert Forecast.verdict(Forecast(chance=1e-6).demand(earlier, 0), trial) == ""


def test_every_kind_is_a_mapping_of_plain_values_in_a_plan():
    given = {"kind": "forecast", "chance": "2%"}
    assert Prune.choose(given).model_dump(mode="json") == {"kind": "forecast", "chance": 0.02, "after": 0.2, "least": 5}
