"""The plans on the page about starts can be loaded, and its tables name what there is."""

from __future__ import annotations

import re
from pathlib import Path

from pilotlight.model.foreign import families
from pilotlight.spec import discover
from pilotlight.train.plan import Plan
from pilotlight.train.starts import Start
from pilotlight.train.starts.weights import Weights

PAGE = (Path(__file__).parents[2] / "docs" / "initialisation.md").read_text(encoding="utf-8")


def test_the_plan_of_continued_training_is_one(tmp_path):
    (text,) = re.findall(r"^```yaml continued\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    plan = Plan.load(tmp_path / "plan.yaml")
    assert isinstance(plan.train.start, Weights)
    assert plan.train.start.path == tmp_path / "exported"
    assert plan.train.schedule.factor(0, plan.steps) < 0.1 < plan.train.schedule.factor(40, plan.steps)
    assert [source.name for source in plan.corpus.sources] == list(plan.train.order.shares)  # type: ignore[attr-defined]


def test_every_start_every_rule_and_every_family_is_on_the_page():
    rules = ("stack", "interleave", "middle", "silent")
    types = [family.model_type for family in families().values()]
    settings = [name for name in Weights.model_fields if name != "kind"]
    for name in (*discover(Start.folder), *rules, *types, *settings):
        assert f"`{name}`" in PAGE, name
