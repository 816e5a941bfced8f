"""Models go out to the transformers library and come in from it, as folders and as starts of plans."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from training_examples import ONE, plan_of

from pilotlight.errors import ConfigError, RecordError
from pilotlight.manifest import read_manifest
from pilotlight.train.exchange import export_model, grow_model, import_model
from pilotlight.train.final import open_model, read_facts
from pilotlight.train.loop import train
from pilotlight.train.sources import open_source


@pytest.fixture(scope="module")
def run(tokens, tmp_path_factory):
    plan = plan_of(steps=3, score_bytes=300)
    return train(plan, ONE, tokens, tmp_path_factory.mktemp("run") / "run")


@pytest.fixture(scope="module")
def encoder_run(tokens, tmp_path_factory):
    from pilotlight.model.decoder import Decoder

    plan = plan_of(steps=2, score_bytes=300, objective="masked")
    bert = {
        "depth": 1, "width": 32, "residual": "post", "norm": "layer", "embedding_norm": True, "final_norm": False,
        "output_change": True, "output_bias": True, "feedforward": {"kind": "gelu", "bias": True},
        "position": {"kind": "learned", "longest": 32},
        "mixer": {"kind": "grouped", "head_dim": 16, "qk_norm": False, "bias": "all"},
    }  # fmt: skip
    plan = plan.model_copy(update={"model": Decoder.model_validate(bert)})
    return train(plan, ONE, tokens, tmp_path_factory.mktemp("run") / "run")


@torch.no_grad()
def logits(folder, ids, **rows):
    from pilotlight.model.layer import Rows

    return open_model(folder)[0].logits(ids, Rows(**rows))


IDS = torch.randint(256, (2, 20), generator=torch.Generator().manual_seed(3))


def test_a_run_goes_out_and_comes_back_with_the_same_logits_and_ids(run, tmp_path):
    assert export_model(run.folder, tmp_path / "there") == "qwen3"
    assert read_manifest(tmp_path / "there", "hugging_face", verify=True).facts == {"family": "qwen3"}
    back = import_model(tmp_path / "there", tmp_path / "back")
    assert back.facts == read_facts(tmp_path / "back")
    assert (back.ids, back.facts.end, back.facts.objective) == (257, 256, "next_token")
    torch.testing.assert_close(logits(tmp_path / "back", IDS), logits(run.folder, IDS), atol=1e-5, rtol=1e-5)
    encoders = [open_model(folder)[1] for folder in (run.folder, tmp_path / "back")]
    assert encoders[0].encode("abc é").tolist() == encoders[1].encode("abc é").tolist()


def test_an_encoder_goes_out_as_one_and_its_mask_token_keeps_its_place(encoder_run, tmp_path):
    assert export_model(encoder_run.folder, tmp_path / "there") == "bert"
    back = import_model(tmp_path / "there", tmp_path / "back")
    assert (back.ids, back.facts.vocabulary, back.facts.objective) == (257, 258, "masked")
    ids = torch.cat([IDS, torch.full((2, 1), 257)], dim=1)
    here = logits(encoder_run.folder, ids, causal=False)
    torch.testing.assert_close(logits(tmp_path / "back", ids, causal=False), here, atol=1e-5, rtol=1e-5)


def test_the_library_loads_the_export_and_its_tokenizer(run, tmp_path):
    transformers = pytest.importorskip("transformers", reason="transformers (extra hf) is not installed")
    transformers.utils.logging.disable_progress_bar()
    export_model(run.folder, tmp_path / "there")
    there = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "there").eval()
    with torch.no_grad():
        torch.testing.assert_close(there(IDS).logits, logits(run.folder, IDS), atol=1e-5, rtol=1e-5)
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "there")
    text = "acgt é \n x"
    assert tokenizer(text, add_special_tokens=False)["input_ids"] == open_model(run.folder)[1].encode(text).tolist()
    assert there.config.eos_token_id == tokenizer.eos_token_id == 256


def test_a_family_that_does_not_fit_is_refused_with_the_part_and_nothing_is_left(run, tmp_path):
    with pytest.raises(ConfigError, match=r"as llama: model.mixer.qk_norm: True, not False"):
        export_model(run.folder, tmp_path / "there", "llama")
    with pytest.raises(ConfigError, match=r"no family is called 'lama'.*Did you mean 'llama'"):
        export_model(run.folder, tmp_path / "there", "lama")
    assert not (tmp_path / "there").exists()


def test_folders_with_other_things_are_not_replaced(run, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(RecordError, match=r"letter\.txt"):
        export_model(run.folder, tmp_path / "mine")
    with pytest.raises(ConfigError, match="Pilotlight already"):
        import_model(run.folder, tmp_path / "new")


def test_training_goes_on_from_an_export_as_from_the_run_itself(run, tokens, tmp_path):
    export_model(run.folder, tmp_path / "there")
    import_model(tmp_path / "there", tmp_path / "back")
    folders = {"run": run.folder, "there": tmp_path / "there", "back": tmp_path / "back"}
    found = {}
    for name, folder in folders.items():
        plan = plan_of(steps=2, score_bytes=300, start={"kind": "weights", "path": folder})
        if name != "run":  # an exported model has no epsilon, no multipliers and no base of its own left but these
            assert open_source(folder).model.decoder.parametrisation == "standard"
        found[name] = train(plan, ONE, tokens, tmp_path / f"{name}_run").lines("step")[0]["loss"]
    assert found["there"] == found["back"] == pytest.approx(found["run"], abs=1e-5)


def test_a_grown_model_is_a_folder_like_any_other(run, tmp_path):
    grown = grow_model(run.folder, tmp_path / "grown", depth=3, rule="silent", width=64)
    assert grown.facts.decoder.size() == (3, 64)
    torch.testing.assert_close(logits(tmp_path / "grown", IDS), logits(run.folder, IDS), atol=2e-5, rtol=2e-5)
    assert read_manifest(tmp_path / "grown", "model", verify=True).inputs.keys() == {"source"}


def test_a_hugging_face_folder_without_its_tokenizer_is_refused(run, tmp_path):
    export_model(run.folder, tmp_path / "there")
    shutil.copytree(tmp_path / "there", tmp_path / "bare")
    (tmp_path / "bare" / "tokenizer.json").unlink()
    with pytest.raises(Exception, match="There is no tokenizer file"):
        import_model(tmp_path / "bare", tmp_path / "new")


def test_the_commands(run, tmp_path, command):
    there, back, grown = tmp_path / "there", tmp_path / "back", tmp_path / "grown"
    assert "qwen3" in command("model", "export", run.folder, "--out", there).out
    said = command("model", "import", there, "--out", back, "--json")
    assert json.loads(said.out)["vocabulary"] == 257
    assert "2 blocks, 32 wide" in command("model", "grow", back, "--out", grown, "--depth", "2").out
    command("model", "grow", back, "--out", grown).refuses("--depth, --width")
    command("model", "grow", back, "--out", grown, "--depth", "2", "--by", "stak").refuses("Did you mean 'stack'")
    command("model", "import", tmp_path, "--out", grown).refuses("holds no model")


def test_an_export_and_an_imported_model_can_be_scored_like_any_other(run, tmp_path):
    from pilotlight.evals.arms import find

    export_model(run.folder, tmp_path / "there")
    import_model(tmp_path / "there", tmp_path / "back")
    arms = find([run.folder, tmp_path / "there", tmp_path / "back"])
    assert [arm.members[0].kind for arm in arms] == ["run", "reference", "model"]
