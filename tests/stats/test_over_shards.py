"""An effect on shards of the held-out text carries the doubt about the text beside that about the runs."""

from __future__ import annotations

import importlib
import math

import pytest
from campaign_examples import above

from pilotlight.errors import EvidenceError
from pilotlight.stats.comparison import Comparison, Observation, compare
from pilotlight.stats.estimate import Estimate, exact
from pilotlight.stats.rule import Rule
from pilotlight.stats.shards import over_shards

bench = importlib.import_module("coverage_text")  # campaign_examples has put its folder on the path


def compared(gaps) -> Comparison:
    """Return the comparison of pairs of runs that differ by these logarithms."""
    observed = [
        Observation(variant=name, scale="2M", size=2e6, seed=seed, value=math.exp(0.3 + 0.01 * seed + gap * (name == "v")))
        for seed, gap in enumerate(gaps) for name in ("baseline", "v")
    ]  # fmt: skip
    return compare(observed, "baseline", Rule()).comparisons[0]


def effects(logs) -> list[Estimate]:
    return [exact(math.expm1(value), "relative", "made up") for value in logs]


@pytest.mark.parametrize("of_text", [0.0, 10.0])
def test_it_covers_the_effect_on_all_text_where_the_runs_alone_do_not(of_text):
    both, alone = bench.covered(4, 10, of_text, 200)
    assert both >= above(0.95, 200)
    assert (alone < 0.8) == (of_text > 0)


def test_shards_that_agree_add_nothing_and_the_value_is_that_of_all_text():
    found = compared([-0.011, -0.012, -0.009])
    told = over_shards(found, effects([math.log1p(found.effect.value)] * 5))
    assert (told.effect.low, told.effect.high) == pytest.approx((found.effect.low, found.effect.high))
    apart = over_shards(found, effects([-0.02, -0.01, 0.001, -0.014, -0.01]))
    assert apart.effect.low < found.effect.low
    assert apart.effect.high > found.effect.high
    assert apart.effect.value == pytest.approx(found.effect.value)
    assert apart.on_the_side_of(found.effect.value) == 4


def test_two_shards_say_nothing_about_their_spread():
    with pytest.raises(EvidenceError, match="at least 3"):
        over_shards(compared([-0.01, -0.012]), effects([-0.01, -0.01]))
