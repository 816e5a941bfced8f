"""The example about starts: what it says of its sources is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from pilotlight.model.size import measure
from pilotlight.pilot.pilot import Pilot
from pilotlight.train.plan import Plan

PILOTS = Path(__file__).parents[2] / "pilots"


def flops(plan: Plan) -> float:
    return plan.tokens * measure(plan.model, 2048, plan.train.context).training_flops_per_token


@pytest.mark.parametrize("name", ["continued", "deeper_by_stacking", "deeper_by_silent_blocks"])
def test_source_and_training_cost_what_training_from_scratch_costs(name):
    pilot = Pilot.load(PILOTS / "starts.yaml")
    scale = pilot.scales[0]
    plan = pilot.plan(name, scale, 0)
    start = plan.train.start
    source = Plan.load(PILOTS / "starts" / f"{start.path.parent.name}.yaml")  # type: ignore[attr-defined]
    assert start.path == PILOTS.parent / "out" / "starts" / start.path.parent.name / "run"  # type: ignore[attr-defined]
    scratch = flops(pilot.plan("baseline", scale, 0))
    assert flops(source) / scratch == pytest.approx(start.already_spent(), abs=0.01)
    assert (flops(source) + flops(plan)) / scratch == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("name", ["same_size", "half_depth"])
def test_the_sources_have_the_text_the_tokenizer_and_the_parts_of_the_pilot(name):
    pilot, source = Pilot.load(PILOTS / "starts.yaml"), Plan.load(PILOTS / "starts" / f"{name}.yaml")
    assert source.corpus.identity() == pilot.corpus.identity()
    assert source.tokenizer == pilot.tokenizer
    assert source.model.model_copy(update={"depth": 4}) == pilot.plan("baseline", pilot.scales[0], 0).model
    assert source.seed not in range(pilot.seeds)
