"""The answer of the loss to a hyper-parameter: recovered from simulated and published trainings, and shaded."""

from __future__ import annotations

import csv
import math
import os
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from pilotlight.errors import EvidenceError
from pilotlight.stats.asymmetry import Cell, pooled_asymmetry
from pilotlight.stats.response import Tried, respond

PUBLISHED = Path(os.environ.get("PILOTLIGHT_SHARED_DATA", Path(__file__).parents[3] / "shared" / "data")) / "scaling"


def valley(at: float, optimum: float, asymmetry: float = 2.7, depth: float = 0.006, level: float = 3.0) -> float:
    away = math.log2(at / optimum)
    return level * math.exp(depth * (asymmetry if away > 0 else 1.0) * away**2)


def trained(draw, values, seeds, noise: float = 0.001, **world) -> list[Tried]:
    """Trainings with noise; a seed moves all values alike by as much again."""
    shifts = draw.normal(0, noise, seeds)
    return [Tried(at, seed, valley(at, **world) * math.exp(shifts[seed] + draw.normal(0, noise)))
            for at in values for seed in range(seeds)]  # fmt: skip


def test_without_noise_the_optimum_is_found_and_the_recommendation_lies_below_it():
    grid = [2e-3 * 2.0**step for step in (-3, -2, -1, 0, 1, 2, 3)]
    found = respond([Tried(at, seed, valley(at, 2.5e-3)) for at in grid for seed in (0, 1)])
    assert found.optimum.value == pytest.approx(2.5e-3, rel=0.1)
    assert found.asymmetry.low < 2.7 < found.asymmetry.high
    assert 1.2e-3 < found.recommended < found.optimum.value
    assert found.regrets["x2"].value == pytest.approx(0.006 * 2.7, rel=0.3)
    assert found.regrets["x0.5"].value == pytest.approx(0.006, rel=0.4)
    assert found.regrets["x4"].value > found.regrets["x0.25"].value > found.regrets["x0.5"].value
    assert found.cautions == ()


def test_the_asymmetry_of_one_wide_response_is_learned_from_its_runs():
    grid = [1e-3 * 2.0**step for step in (-3, -2, -1, 0, 1, 2, 3)]
    draw = np.random.default_rng(0)
    steep, flat = (respond(trained(draw, grid, 4, optimum=1e-3, asymmetry=ratio)) for ratio in (4.0, 0.5))
    assert flat.asymmetry.value < 1.0 < steep.asymmetry.low
    assert flat.recommended > flat.optimum.value * 0.95, "the safe side is the flat one, whichever that is"


def simulated(studies: int, *, fixed: float | None = None):
    draw = np.random.default_rng(1)
    for _ in range(studies):
        ratio = fixed or float(np.exp(draw.normal(math.log(2.7), 0.5)))
        optimum = 2.0 ** draw.uniform(-0.7, 0.7)
        depth = float(np.exp(draw.normal(math.log(0.005), 0.7)))
        world = {"optimum": optimum, "asymmetry": ratio, "depth": depth}
        yield world, respond(trained(draw, (0.5, 1.0, 2.0), 2, noise=0.003, **world))


def test_with_three_noisy_values_the_shaded_choice_loses_less_than_the_best_one_and_intervals_cover():
    shaded, argmin, covered = [], [], []
    for world, found in simulated(60):
        shaded.append(math.log(valley(found.recommended, **world) / 3.0))
        argmin.append(math.log(valley(found.best, **world) / 3.0))
        covered.append(found.optimum.low <= world["optimum"] <= found.optimum.high)
    assert np.mean(shaded) < 0.75 * np.mean(argmin)
    assert np.mean(covered) >= 0.9


def test_what_diverged_bounds_the_choice():
    tried = [Tried(at, 0, valley(at, 3.0, 1.0)) for at in (0.5, 1.0, 2.0)]
    free, bound = respond(tried), respond([*tried, Tried(4.0, 0, None)])
    assert bound.optimum.value < free.optimum.value
    assert bound.recommended <= 2.0
    low = respond([*tried, Tried(4.0, 0, valley(4.0, 3.0, 1.0)), Tried(2.5, 1, None)])
    assert low.recommended <= 2.0, "above a value that diverged nothing is recommended, even where another run lived"


def test_an_optimum_at_the_edge_and_noise_that_nobody_measured_are_said():
    found = respond([Tried(at, 0, valley(at, 8.0)) for at in (0.5, 1.0, 2.0)])
    assert found.recommended == pytest.approx(2.0, rel=0.05)
    assert any("try larger ones" in caution for caution in found.cautions)
    assert any("no value was trained twice" in caution for caution in found.cautions)


def test_a_metric_that_is_better_when_higher_has_its_valley_upside_down():
    grid = (0.25, 0.5, 1.0, 2.0, 4.0)
    found = respond([Tried(at, 0, 1 / valley(at, 1.0)) for at in grid], better="higher")
    assert found.best == 1.0
    assert found.recommended < 1.0


def test_two_values_are_no_valley():
    with pytest.raises(EvidenceError, match="needs at least 3"):
        respond([Tried(1.0, 0, 3.0), Tried(2.0, 0, 3.1), Tried(4.0, 0, None)])


@pytest.mark.parametrize("ratio", [0.5, 2.7])
def test_one_asymmetry_of_many_cells_is_recovered_from_three_values_each(ratio):
    draw = np.random.default_rng(3)
    cells = []
    for size in np.geomspace(1e7, 1e9, 8):
        for tokens in np.geomspace(1e8, 1e10, 4):
            optimum = 2e-3 * (size / 1e8) ** -0.4 * (tokens / 1e9) ** 0.1
            grid = [2.0 ** (round(math.log2(optimum)) + step) for step in (-1, 0, 1)]
            cells.append(
                Cell((size, tokens), tuple(trained(draw, grid, 1, optimum=optimum, asymmetry=ratio, depth=0.01)))
            )
    found = pooled_asymmetry(cells)
    assert found.low <= ratio <= found.high
    assert found.high / found.low < 4


def published_cells() -> list[Cell]:
    path = PUBLISHED / "misfitting.csv"
    if not path.is_file():
        pytest.skip("the published table is not here")
    found: dict[tuple[float, float], dict[float, float]] = defaultdict(dict)
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            key = float(row["n_params_nonemb"]), float(row["tokens"])
            found[key].setdefault(float(row["lr"]), float(row["loss"]))
    return [Cell(key, tuple(Tried(at, 0, value) for at, value in runs.items())) for key, runs in sorted(found.items())]


def test_on_a_published_table_of_short_trainings_the_steeper_wall_is_the_low_one():
    """So 2.7 is what to expect, not a law: the runs are asked, and their answer wins where there is one."""
    found = pooled_asymmetry(published_cells())
    assert found.n > 70
    assert found.high < 2.7


def test_on_the_published_table_the_shaded_value_is_close_to_the_best_of_three():
    lost = []
    for cell in published_cells()[::4]:
        if len(cell.tried) == 3:
            found = respond(cell.tried)
            assert min(one.at for one in cell.tried) <= found.recommended <= max(one.at for one in cell.tried)
            lost.append(abs(math.log2(found.recommended / found.best)))
    assert np.median(lost) < 0.5
