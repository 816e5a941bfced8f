"""Checkpoints on disk: names, retention, refusal of what belongs to another run."""

from __future__ import annotations

import shutil

import pytest
from training_examples import ONE, plan_of

from pilotlight.errors import RecordError
from pilotlight.train import checkpoint
from pilotlight.train.loop import train


@pytest.fixture(scope="module")
def one(tokens, tmp_path_factory):
    run = train(plan_of(steps=1), ONE, tokens, tmp_path_factory.mktemp("run") / "run")
    return run.folder / "checkpoints" / "step-00000001", run.fingerprint


def _copies(one, folder, *names):
    for name in names:
        shutil.copytree(one[0], folder / name)
    return folder


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_newest_ones_and_the_milestones_stay(one, tmp_path):
    folder = _copies(one, tmp_path, *(f"step-{step:08d}" for step in (10, 20, 30, 40, 50)))
    checkpoint.prune(folder, keep=2, milestone_every=20)
    assert _names(folder) == ["step-00000020", "step-00000040", "step-00000050"]


def test_a_step_saved_again_gets_a_name_of_its_own_and_counts_as_newer(one, tmp_path):
    folder = _copies(one, tmp_path, "step-00000001", "step-00000001-2")
    found, incidents = checkpoint.newest(folder, one[1])
    assert found.folder.name == "step-00000001-2"
    assert incidents == []
    checkpoint.prune(folder, keep=1, milestone_every=None)
    assert _names(folder) == ["step-00000001-2"]


def test_a_checkpoint_of_other_tokens_is_refused_and_left_alone(one, tmp_path):
    folder = _copies(one, tmp_path, "step-00000001")
    with pytest.raises(RecordError, match="other tokens"):
        checkpoint.newest(folder, "f" * 16)
    assert _names(folder) == ["step-00000001"]


def test_what_a_killed_save_left_is_removed(one, tmp_path):
    folder = _copies(one, tmp_path, "step-00000001", ".step-00000002.77.partial")
    checkpoint.newest(folder, one[1])
    assert _names(folder) == ["step-00000001"]


def test_where_none_was_ever_made_none_is_found(tmp_path):
    assert checkpoint.newest(tmp_path / "checkpoints", "f" * 16) == (None, [])
