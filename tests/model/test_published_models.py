"""Models of the transformers library and ours compute the same, whoever wrote the weights."""

from __future__ import annotations

import pytest
import torch

from pilotlight.errors import ConfigError
from pilotlight.model.decoder import Decoder
from pilotlight.model.folding import Weighed
from pilotlight.model.foreign import read_foreign, write_foreign
from pilotlight.model.layer import Rows
from pilotlight.model.weight import initialise

transformers = pytest.importorskip("transformers", reason="transformers (extra hf) is not installed")
IDS = 61
SHAPE = {"vocab_size": IDS, "hidden_size": 32, "intermediate_size": 72, "num_hidden_layers": 3, "num_attention_heads": 4,
         "max_position_embeddings": 64}  # fmt: skip
LLAMA3 = {"rope_type": "llama3", "rope_theta": 5e3, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
          "original_max_position_embeddings": 32}  # fmt: skip
LINEAR = {"rope_type": "linear", "rope_theta": 1e4, "factor": 4.0}
MIXED = ["full_attention", "sliding_attention", "full_attention"]
MODELS = {
    "llama": ("LlamaConfig", {**SHAPE, "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "rope_parameters": LLAMA3}),
    "llama_of_narrow_width": (
        "LlamaConfig",
        {**SHAPE, "head_dim": 16, "attention_bias": True, "tie_word_embeddings": True, "rope_parameters": LINEAR},
    ),
    "qwen2": ("Qwen2Config", {**SHAPE, "num_key_value_heads": 2}),
    "qwen3": ("Qwen3Config", {**SHAPE, "num_key_value_heads": 2, "head_dim": 16, "tie_word_embeddings": True}),
    "qwen3_windows": (
        "Qwen3Config",
        {
            **SHAPE,
            "num_key_value_heads": 4,
            "head_dim": 8,
            "use_sliding_window": True,
            "sliding_window": 6,
            "layer_types": MIXED,
        },
    ),
    "mistral": ("MistralConfig", {**SHAPE, "num_key_value_heads": 2, "sliding_window": 7}),
    "mistral_whole": ("MistralConfig", {**SHAPE, "num_key_value_heads": 2, "sliding_window": None}),
    "gpt2": ("GPT2Config", {"vocab_size": IDS, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64}),
    "bert": ("BertConfig", SHAPE),
    "roberta": ("RobertaConfig", {**SHAPE, "max_position_embeddings": 66}),
}


@pytest.fixture(autouse=True)
def silent_library():
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def loader(kind):
    return transformers.AutoModelForMaskedLM if kind in ("bert", "roberta") else transformers.AutoModelForCausalLM


def theirs(kind):
    """A model of the library with random weights, none of which is 0 or 1."""
    name, settings = MODELS[kind]
    config = getattr(transformers, name)(**settings)
    torch.manual_seed(0)
    model = loader(config.model_type).from_config(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.2).add_(0.0 if parameter.ndim > 1 else 0.5)
    return model


@torch.no_grad()
@pytest.mark.parametrize("kind", MODELS)
def test_their_weights_give_the_same_logits_here_and_written_again_there(kind, tmp_path):
    model = theirs(kind)
    model.save_pretrained(tmp_path / "theirs")
    found = read_foreign(tmp_path / "theirs")
    decoder, tensors = found.model
    ours = decoder.build(found.vocabulary)
    ours.load_state_dict(tensors)
    ids = torch.randint(3, IDS, (2, 40))
    expected = model(ids).logits
    assert float(expected.abs().max()) > 1
    causal = found.family.causal
    torch.testing.assert_close(ours.logits(ids, Rows(causal=causal)), expected, atol=1e-5, rtol=1e-5)
    (tmp_path / "ours").mkdir()
    family = found.family.model_type
    write_foreign(tmp_path / "ours", found.model, IDS, found.longest, end=2, family=family, causal=causal)
    again, info = loader(family).from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    torch.testing.assert_close(again.eval()(ids).logits, expected, atol=1e-6, rtol=1e-6)


OWN = {
    "qwen3": {},
    "llama": {"mixer": {"kind": "grouped", "head_dim": 16, "qk_norm": False}, "tied": False},
    "gpt2": {
        "mixer": {"kind": "grouped", "head_dim": 16, "qk_norm": False, "bias": "all"}, "norm": "layer",
        "feedforward": {"kind": "gelu", "form": "tanh", "bias": True}, "position": {"kind": "learned", "longest": 64},
    },
    "qwen2": {"mixer": {"kind": "grouped", "head_dim": 16, "qk_norm": False, "bias": "inputs"}, "repeats": 2},
}  # fmt: skip


def own(**changes) -> Weighed:
    settings = {
        "depth": 3,
        "width": 48,
        "mixer": {"kind": "grouped", "head_dim": 16},
        "base_width": 16,
        "base_depth": 2,
    }
    decoder = Decoder.model_validate(settings | changes)
    model = decoder.build(IDS)
    initialise(model, 0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return Weighed(decoder, {name: value.detach() for name, value in model.state_dict().items()})


@torch.no_grad()
@pytest.mark.parametrize("family", OWN)
def test_our_models_load_there_with_the_same_logits_multipliers_and_all(family, tmp_path):
    model = own(**OWN[family])
    assert model.decoder.rules().branch != 1
    assert model.decoder.rules().output != 1
    assert write_foreign(tmp_path, model, IDS, 64, end=2) == family
    ours = model.decoder.build(IDS)
    ours.load_state_dict(model.tensors)
    ids = torch.randint(IDS, (2, 40))
    there = transformers.AutoModelForCausalLM.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(there(ids).logits, ours.logits(ids), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden_act": "relu"}, "hidden_act is 'relu'"),
        ({"mlp_bias": True}, "mlp_bias"),
        ({"rope_parameters": {"rope_type": "yarn", "rope_theta": 1e4, "factor": 4.0}}, "'yarn'"),
    ],
)
def test_what_we_cannot_compute_is_refused_by_name(settings, words, tmp_path):
    config = transformers.LlamaConfig(**{**SHAPE, **settings})
    transformers.LlamaForCausalLM(config).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match=words):
        read_foreign(tmp_path)
