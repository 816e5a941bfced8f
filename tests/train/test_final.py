"""The final model stands by itself."""

from __future__ import annotations

import shutil

import pytest
import torch
from training_examples import ONE, plan_of

from pilotlight.errors import RecordError
from pilotlight.train.final import open_model
from pilotlight.train.loop import train


@pytest.fixture(scope="module")
def run(tokens, tmp_path_factory):
    return train(plan_of(steps=2, precision="bfloat16"), ONE, tokens, tmp_path_factory.mktemp("run") / "run")


def test_it_opens_from_anywhere_in_the_precision_it_was_trained_in(run, tmp_path):
    shutil.copytree(run.model, tmp_path / "somewhere")
    model, encoder = open_model(tmp_path / "somewhere")
    again, _ = open_model(run.folder)
    assert model.compute_dtype == torch.bfloat16
    assert not model.training
    ids = torch.from_numpy(encoder.encode("abc").astype("int64"))[None]
    assert torch.equal(model.logits(ids), again.logits(ids))


def test_a_damaged_one_is_refused(run, tmp_path):
    shutil.copytree(run.model, tmp_path / "model")
    content = bytearray((tmp_path / "model" / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (tmp_path / "model" / "model.safetensors").write_bytes(content)
    with pytest.raises(RecordError, match="differs from its manifest"):
        open_model(tmp_path / "model")


def test_a_folder_without_one_is_refused(tmp_path):
    with pytest.raises(RecordError):
        open_model(tmp_path)
