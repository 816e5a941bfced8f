"""The simulated searches say what giving up saves and costs, and see what they should."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotlight.pilot.pruners import Prune
from pilotlight.spec import discover

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    import pruning

    return pruning


@pytest.mark.parametrize("kind", discover(Prune.folder))
def test_trials_that_keep_their_order_are_cheaper_to_search_at_hardly_any_loss(bench, kind):
    found = bench.study(Prune.choose(kind), bench.SORTS[0], 12)
    assert 0.2 < found.saved.value < 0.7
    assert found.lost.value < 0.001
    assert bench.study(Prune.choose(kind), bench.SORTS[0], 12) == found, "seeded"


def test_what_begins_badly_and_ends_well_is_lost_by_who_looks_early(bench):
    late = next(sort for sort in bench.SORTS if sort.late)
    early, forecast, patient = (bench.study(Prune.choose(given), late, 12) for given in
                                ("halving", "forecast", {"kind": "quantile", "after": "80%"}))  # fmt: skip
    assert early.missed.value > 2 * forecast.missed.value
    assert early.lost.value > 10 * max(forecast.lost.value, patient.lost.value)
    assert patient.saved.value < forecast.saved.value


def test_the_forecast_is_wrong_less_often_than_its_chance(bench):
    for sort in bench.SORTS[:3]:
        assert bench.study(Prune.choose({"kind": "forecast", "chance": 0.05}), sort, 12).wrong.value < 0.05


def test_there_is_a_line_for_each_kind_and_sort_of_trials(bench):
    lines = bench.table(1)
    assert len(lines) == 2 + len(bench.SORTS) * len(discover(Prune.folder))
    assert {line.count("|") for line in lines} == {8}
