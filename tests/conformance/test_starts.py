"""Every start of a training keeps these promises."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "train"))

from training_examples import ONE, digest, plan_of, tokens_in

from pilotlight.manifest import read_manifest
from pilotlight.spec import discover, fingerprint, plain
from pilotlight.train.events import Saved
from pilotlight.train.loop import train
from pilotlight.train.plan import Plan
from pilotlight.train.starts import Start

pytestmark = pytest.mark.parametrize("kind", discover(Start.folder))
TRUNK, WHOLE = 6, 10
SCHEDULE = {"kind": "constant", "warmup": 0.2}


class Enough(Exception):
    pass


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    return tokens_in(tmp_path_factory.mktemp("packed") / "tokens")


@pytest.fixture(scope="module")
def trunk(tokens, tmp_path_factory):
    folder = tmp_path_factory.mktemp("trunk") / "run"
    plan = plan_of(steps=TRUNK, seed=5, schedule=SCHEDULE)
    return train(plan, ONE.model_copy(update={"milestone_every": 3}), tokens, folder).folder


def plan_from(kind: str, trunk: Path) -> Plan:
    """A training that starts in the way ``kind``; what a start reads is the trunk."""
    needs = {"path": trunk} if "path" in discover(Start.folder)[kind].model_fields else {}
    return plan_of(steps=WHOLE, seed=5, schedule=SCHEDULE, start={"kind": kind, **needs})


def test_the_same_plan_gives_the_same_bytes(kind, trunk, tokens, tmp_path):
    first, second = (train(plan_from(kind, trunk), ONE, tokens, tmp_path / name) for name in "ab")
    assert digest(first.folder) == digest(second.folder)
    assert first.facts.steps == WHOLE


def test_it_resumes_bit_for_bit_twice_in_a_row(kind, trunk, tokens, tmp_path):
    plan = plan_from(kind, trunk)
    whole = train(plan, ONE, tokens, tmp_path / "whole", checkpoint_seconds=0.0)
    for stop in (7, 8):

        def leave(event, stop=stop):
            if isinstance(event, Saved) and event.step == stop:
                raise Enough

        with pytest.raises(Enough):
            train(plan, ONE, tokens, tmp_path / "killed", watch=leave, checkpoint_seconds=0.0)
    resumed = train(plan, ONE, tokens, tmp_path / "killed", checkpoint_seconds=0.0)
    assert digest(resumed.folder) == digest(whole.folder)


def test_what_it_starts_from_is_known_by_content_and_not_by_place(kind, trunk, tokens, tmp_path):
    shutil.copytree(trunk, tmp_path / "moved")
    here, there = plan_from(kind, trunk), plan_from(kind, tmp_path / "moved")
    assert fingerprint(here.identity()) == fingerprint(there.identity())
    assert str(trunk) not in json.dumps(here.identity())
    run = train(here, ONE, tokens, tmp_path / "run")
    assert run.manifest.inputs == {"tokens": tokens.fingerprint, **here.train.start.inputs()}
    assert train(there, ONE, tokens, run.folder).manifest == run.manifest


def test_a_plan_survives_json(kind, trunk):
    plan = plan_from(kind, trunk)
    assert Plan.model_validate(plain(plan)) == plan


def test_it_does_not_touch_what_it_starts_from(kind, trunk, tokens, tmp_path):
    before = digest(trunk)
    train(plan_from(kind, trunk), ONE, tokens, tmp_path / "run")
    assert digest(trunk) == before
    read_manifest(trunk, verify=True)


def test_settings_need_no_torch(kind, trunk):
    assert "torch" not in vars(sys.modules[discover(Start.folder)[kind].__module__])
