from __future__ import annotations

import builtins
import json
import shutil

import pytest
from eval_examples import planted

from pilotlight.errors import ConfigError, DataError
from pilotlight.evals.arms import find
from pilotlight.evals.score import score
from pilotlight.evals.settings import Scoring

RUN = ("runs", "lamp", "tiny", "seed0")


def test_a_reference_model_is_scored_on_the_same_items_and_text(trained, reference, tmp_path):
    scoring = Scoring(device="cpu", threads=1, out=tmp_path / "scores")
    arms = find([trained.joinpath(*RUN), reference])
    found = score(arms, [planted(tmp_path / "planted.jsonl")], scoring=scoring)
    assert [scored.model for scored in found.scores] == ["lamp/tiny", "tiny-llama"]
    assert [scored.items for scored in found.scores] == [12, 12]
    assert next(one for one in found.differences if one.metric == "bits_per_byte").estimate.low > 0
    held_out = score(arms, scoring=scoring)
    values = [scored.measures[0].estimate.value for scored in held_out.scores]
    assert values[1] > 7 > values[0]  # a model that knows nothing needs about 8 bits for each byte
    assert not list(reference.glob("scores*"))


def test_its_likelihoods_are_those_of_the_logits(reference):
    import torch

    from pilotlight.evals.hugging_face import HuggingFaceModel
    from pilotlight.evals.item import Span
    from pilotlight.evals.likelihood import likelihoods

    scorer = HuggingFaceModel(reference)
    assert scorer.context == 64
    found = likelihoods(scorer, [Span("ab", " cd"), Span("", "x" * 20)])[0]
    ids = torch.tensor([scorer.start, *scorer.encoder.encode("ab cd").tolist()])
    with torch.no_grad():
        logs = torch.log_softmax(scorer.model(ids[None]).logits[0].double(), -1)
    direct = -sum(logs[place, ids[place + 1]].item() for place in range(2, 5))
    assert found.nats == pytest.approx(direct, rel=1e-5)


def test_without_transformers_the_way_to_install_it_is_said(reference, monkeypatch):
    from pilotlight.evals.hugging_face import HuggingFaceModel

    real = builtins.__import__

    def refuse(name, *rest, **more):
        if name.startswith("transformers"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ConfigError, match=r'pip install "pilotlight\[hf\]"'):
        HuggingFaceModel(reference)


def test_code_of_a_models_own_is_never_run(reference, tmp_path):
    from pilotlight.evals.hugging_face import HuggingFaceModel

    folder = shutil.copytree(reference, tmp_path / "own_code")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModelForCausalLM": "evil.Model"}}))
    with pytest.raises(ConfigError, match="auto_map"):
        HuggingFaceModel(folder)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").unlink()
    with pytest.raises(DataError, match=r"tokenizer\.json"):
        HuggingFaceModel(folder)


def test_weights_that_are_broken_are_refused_in_one_sentence(reference, tmp_path):
    from pilotlight.evals.hugging_face import HuggingFaceModel

    folder = shutil.copytree(reference, tmp_path / "broken")
    (folder / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(DataError, match="cannot be loaded"):
        HuggingFaceModel(folder)


def test_weights_that_are_missing_are_never_filled_at_random(reference, tmp_path):
    from safetensors.torch import load_file, save_file

    from pilotlight.evals.hugging_face import HuggingFaceModel

    folder = shutil.copytree(reference, tmp_path / "part")
    weights = load_file(folder / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(DataError, match=r"lacks 1 weights.*norm"):
        HuggingFaceModel(folder)
