from __future__ import annotations

import math

from contest_examples import CELLS, TARGET, pilots

from pilotlight.scaling.allocate import Advice, Offer, Question, next_trial
from pilotlight.scaling.contest_cells import PilotRun, Scale

CLOSE = {"base": (0.0, 0.0), "wide": (-0.004, 0.0), "poor": (0.08, 0.0)}
QUESTION = Question(tuple(CLOSE), TARGET)
NEAR = Scale(6 * 2e8 * 4e9, 2e8, 4e9)


def _menu(runs: list[PilotRun]) -> list[Offer]:
    return [Offer(run.variant, run.cell, run.flops, run.parameters, run.tokens) for run in runs]


def _spend(runs: list[PilotRun], question: Question, budget: float = math.inf) -> tuple[list[PilotRun], Advice]:
    """Return what was bought, one run at a time, until the allocator stopped, and its last word."""
    bought: list[PilotRun] = []
    left = list(runs)
    while (advice := next_trial(bought, _menu(left), budget, question)).action == "buy":
        offer = advice.offers[0]
        run = next(run for run in left if (run.variant, run.cell) == (offer.variant, offer.cell))
        left.remove(run)
        bought.append(run)
        budget -= offer.flops
        assert budget >= 0
    return bought, advice


def test_it_starts_where_a_comparison_is_cheapest():
    advice = next_trial([], _menu(pilots(CLOSE)), math.inf, QUESTION)
    assert advice.action == "buy"
    assert {offer.cell for offer in advice.offers} == {"10M"}
    assert {offer.variant for offer in advice.offers} == set(CLOSE)
    assert "start with" in advice.why


def test_it_spends_on_the_contenders_before_what_is_far_behind():
    bought, _ = _spend(pilots(CLOSE), Question(tuple(CLOSE), NEAR, worth=1e-4))
    assert {run.variant for run in bought if run.cell == "10M"} == set(CLOSE)
    assert [run.variant for run in bought if run.cell == "30M"] in (["base", "wide"], ["wide", "base"])
    assert {run.variant for run in [run for run in bought if run.cell == "100M"][:2]} == {"base", "wide"}


def test_it_stops_when_the_decision_is_safe():
    apart = {"base": (0.0, 0.0), "wide": (-0.3, 0.0)}
    bought, advice = _spend(pilots(apart), Question(tuple(apart), NEAR, worth=0.002))
    assert advice.action == "safe"
    assert advice.pick == "wide"
    assert advice.regret is not None
    assert advice.regret < 0.002
    assert len(bought) < len(CELLS) * len(apart)
    assert "safe" in advice.why


def test_it_stops_when_nothing_affordable_would_change_the_decision():
    runs = pilots(CLOSE)
    first = [run for run in runs if run.cell == "10M"]
    rest = _menu([run for run in runs if run.cell != "10M"])
    advice = next_trial(first, rest, 1.0, QUESTION)
    assert advice.action == "useless"
    assert advice.pick == "wide"
    assert "afforded" in advice.why


def test_the_budget_is_kept():
    runs = pilots(CLOSE)
    budget = 1.5 * sum(run.flops for run in runs if run.cell == "30M")
    bought, _ = _spend(runs, Question(tuple(CLOSE), TARGET, worth=0.0), budget)
    assert 0 < sum(run.flops for run in bought) <= budget


def test_the_same_runs_give_the_same_advice():
    runs = pilots(CLOSE)
    first = [run for run in runs if run.cell == "10M"]
    rest = _menu([run for run in runs if run.cell != "10M"])
    one, other = (next_trial(order, rest, math.inf, QUESTION) for order in (first, first[::-1]))
    assert one == other
    assert one.gain > 0


def test_a_gain_is_not_promised_by_one_run_in_a_cell_of_its_own():
    """Gaps are seen between runs of one cell, so a new cell is always entered by two variants or more."""
    runs = pilots(CLOSE)
    first = [run for run in runs if run.cell == "10M"]
    advice = next_trial(first, _menu([run for run in runs if run.cell == "30M"]), math.inf, QUESTION)
    assert advice.action == "buy"
    assert len(advice.offers) > 1
