"""The page says on how many shards of the held-out text an effect is there, and which verdicts hang on the text."""

from __future__ import annotations

import json

import pytest
from study_folder import Wish, write_study

from pilotlight.record.decision import Decision
from pilotlight.report.block import Block, Table
from pilotlight.report.sections.held_out import HeldOut
from pilotlight.report.study import Study
from pilotlight.stats.shards import over_shards


@pytest.fixture
def study(tmp_path) -> Study:
    return Study.read(write_study(tmp_path / "out", Wish(variants={"gated": (-0.02, "why"), "plain": (0.0, "")})))


def written(study: Study, decision: Decision) -> Block:
    object.__setattr__(study, "decision", decision)
    block = HeldOut().write(study)
    assert block is not None
    return block


def shifted(decision: Decision, variant: str, shifts) -> Decision:
    """Return the decision with the effect of a variant on each shard moved by ``shifts``."""
    findings = []
    for item in decision.findings:
        if item.variant == variant:
            found = item.comparison.by_scale[item.comparison.scale]
            effects = [found.model_copy(update={name: getattr(found, name) + shift for name in ("value", "low", "high")})
                       for shift in shifts]  # fmt: skip
            item = item.model_copy(update={"held_out": over_shards(item.comparison, effects)})
        findings.append(item)
    return decision.model_copy(update={"findings": tuple(findings)})


def test_an_effect_that_is_there_on_every_shard_hangs_on_none(study):
    few = [0.001, -0.001, 0.0, 0.002, -0.002]
    block = written(study, shifted(shifted(study.decision, "gated", few), "plain", [0.0] * 5))
    assert "each effect has its sign on all of them" in block.lead
    assert "other sign" not in block.lead


def test_an_effect_of_one_shard_is_said_to_hang_on_the_text(study):
    block = written(study, shifted(study.decision, "gated", [-0.2, 0.03, 0.05, 0.06, 0.06]))
    assert "gated has the sign of its effect on 1 of 5" in block.lead
    assert "the effect of gated may have the other sign: score more held-out text" in block.lead
    (table,) = (piece for piece in block.pieces if isinstance(piece, Table))
    assert [(row[0].text, row[2].tone) for row in table.rows] == [("gated", "open"), ("plain", "")]


def test_a_decision_of_an_earlier_version_has_no_shards(study):
    old = json.loads(study.decision.to_json())
    for item in old["findings"]:
        del item["held_out"]
    object.__setattr__(study, "decision", Decision.model_validate(old))
    assert HeldOut().write(study) is None
