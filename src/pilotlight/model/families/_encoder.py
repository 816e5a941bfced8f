"""What BERT and RoBERTa have in common: norms after the sums, learned positions, a head for masked tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pilotlight.errors import ConfigError
from pilotlight.model.families._gated import read_decoder
from pilotlight.model.families._links import Link, per_block
from pilotlight.spec import plain

if TYPE_CHECKING:
    from torch import Tensor

    from pilotlight.model.decoder import Decoder

_FORMS = {"gelu": "exact", "gelu_new": "tanh", "gelu_pytorch_tanh": "tanh"}


def decoder_of(config: Mapping[str, Any], before: int) -> Decoder:
    """Return the decoder of a config whose table of positions has ``before`` rows that stand for no place.

    Raises:
        ConfigError: a setting stands in the way.
    """
    form = _FORMS.get(config.get("hidden_act", "gelu"))
    if form != "exact":
        # The head has the same function, and ours is exact there.
        raise ConfigError(f"hidden_act is {config['hidden_act']!r}; only gelu is known for this architecture")
    if config.get("position_embedding_type", "absolute") != "absolute" or config.get("is_decoder"):
        raise ConfigError("only encoders with absolute positions are known (position_embedding_type, is_decoder)")
    width = int(config["hidden_size"])
    return read_decoder({
        "depth": int(config["num_hidden_layers"]), "width": width, "tied": bool(config.get("tie_word_embeddings", True)),
        "mixer": {"kind": "grouped", "head_dim": width // int(config["num_attention_heads"]), "qk_norm": False,
                  "bias": "all"},
        "feedforward": {"kind": "gelu", "expansion": int(config["intermediate_size"]) / width, "bias": True},
        "norm": {"kind": "layer", "epsilon": config.get("layer_norm_eps", 1e-12)}, "residual": "post",
        "position": {"kind": "learned", "longest": int(config["max_position_embeddings"]) - before},
        "embedding_norm": True, "final_norm": False, "output_change": True, "output_bias": True,
    })  # fmt: skip


def config_of(decoder: Decoder, vocabulary: int, context: int, before: int) -> dict[str, Any]:
    """Return the config nearest to a decoder."""
    depth, width = decoder.size()
    mixer = plain(decoder.mixers()[0])
    return {
        "hidden_size": width, "num_hidden_layers": depth, "num_attention_heads": max(1, width // mixer["head_dim"]),
        "intermediate_size": round(plain(decoder.feedforward).get("expansion", 4.0) * width), "hidden_act": "gelu",
        "max_position_embeddings": plain(decoder.position).get("longest", context) + before, "vocab_size": vocabulary,
        "layer_norm_eps": plain(decoder.norm).get("epsilon", 1e-12), "tie_word_embeddings": decoder.tied,
        "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "is_decoder": False,
    }  # fmt: skip


def links_of(decoder: Decoder, model: str, head: Mapping[str, str]) -> list[Link]:
    """Return the names of the tensors; ``head`` maps theirs to ours beyond the blocks, without the output matrix."""
    depth, _ = decoder.size()
    layer, block = model + "encoder.layer.{n}.", "blocks.{n}."
    places = {
        "attention.self.query.{}": "mixer.query", "attention.self.key.{}": "mixer.key",
        "attention.self.value.{}": "mixer.value", "attention.output.dense.{}": "mixer.output",
        "intermediate.dense.{}": "feedforward.up", "output.dense.{}": "feedforward.down",
    }  # fmt: skip
    blocks: list[Link] = []
    for theirs, ours in places.items():
        blocks.append(Link(layer + theirs.format("weight"), (block + ours,)))
        blocks.append(Link(layer + theirs.format("bias"), (f"{block}{ours}_bias",)))
    for theirs, ours in (("attention.output", "residual.mixer_norm"), ("output", "residual.feedforward_norm")):
        blocks.append(Link(f"{layer}{theirs}.LayerNorm.weight", (f"{block}{ours}.gain",)))
        blocks.append(Link(f"{layer}{theirs}.LayerNorm.bias", (f"{block}{ours}.bias",)))
    table = {
        "embeddings.word_embeddings.weight": "embedding", "embeddings.position_embeddings.weight": "position.table",
        "embeddings.LayerNorm.weight": "embedding_norm.gain", "embeddings.LayerNorm.bias": "embedding_norm.bias",
    }  # fmt: skip
    found = [Link(model + theirs, (ours,)) for theirs, ours in table.items()]
    return [*found, *per_block(depth, *blocks), *(Link(theirs, (ours,)) for theirs, ours in head.items())]


def fold(theirs: dict[str, Tensor], model: str, before: int) -> dict[str, Tensor]:
    """Return their tensors with the vector of the first token type added to every place, and only real places kept."""
    found = {_modern(name): tensor for name, tensor in theirs.items()}
    places, types = f"{model}embeddings.position_embeddings.weight", f"{model}embeddings.token_type_embeddings.weight"
    if places in found and types in found and found[places].shape[1:] == found[types].shape[1:]:
        found[places] = (found[places].float() + found.pop(types)[:1].float())[before:]
    return found


def _modern(name: str) -> str:
    """Return the name of a tensor as it is now: norms of the first files have ``gamma`` and ``beta``."""
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")


def unfold(theirs: dict[str, Tensor], model: str, before: int, types: int) -> dict[str, Tensor]:
    """Return the tensors with ``before`` rows of zeros ahead of the places and token types that add nothing."""
    found = dict(theirs)
    name = f"{model}embeddings.position_embeddings.weight"
    table = found[name]
    wide = table.new_zeros(len(table) + before, table.shape[1])
    wide[before:] = table
    zeros = table.new_zeros(types, table.shape[1])
    return found | {name: wide, f"{model}embeddings.token_type_embeddings.weight": zeros}
