"""What Llama, Mistral, Qwen2 and Qwen3 have in common: RMS norms before the branches, rotary positions, SwiGLU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from pilotlight.errors import ConfigError
from pilotlight.model.decoder import Decoder
from pilotlight.model.families._links import Link, per_block
from pilotlight.spec import plain

_FULL, _SLIDING = "full_attention", "sliding_attention"


def decoder_of(config: Mapping[str, Any], *, qk_norm: bool, bias: str, windows: Sequence[int | None]) -> Decoder:
    """Return the decoder of a config; ``windows`` holds the window of every layer, None for full attention.

    Raises:
        ConfigError: a setting stands in the way.
    """
    if config.get("hidden_act", "silu") not in ("silu", "swish"):
        raise ConfigError(f"hidden_act is {config['hidden_act']!r}; only silu is known for this architecture")
    if config.get("mlp_bias"):
        raise ConfigError("mlp_bias is true; feed-forwards with SiLU have no biases here")
    width, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    sharing = heads // int(config.get("num_key_value_heads") or heads)
    head_dim = int(config.get("head_dim") or width // heads)
    own = None if heads * head_dim == width else heads
    attention = {"head_dim": head_dim, "queries_per_kv": sharing, "qk_norm": qk_norm}
    kinds: list[dict[str, Any]] = []
    for window in windows:
        if window is None:
            kinds.append({"kind": "grouped", **attention, "heads": own, "bias": bias})
        elif own or bias != "none":
            raise ConfigError("a sliding window goes with neither biases nor heads that do not fill the width here")
        else:
            kinds.append({"kind": "window", **attention, "window": window})
    return read_decoder({
        "depth": len(kinds), "width": width, **_mixers(kinds), "tied": bool(config.get("tie_word_embeddings", False)),
        "feedforward": {"kind": "swiglu", "expansion": int(config["intermediate_size"]) / width},
        "norm": {"kind": "rms", "epsilon": config.get("rms_norm_eps", 1e-6)}, "position": _rotary(config),
    })  # fmt: skip


def read_decoder(settings: dict[str, Any]) -> Decoder:
    """Return the decoder with the multipliers of the ``standard`` parametrisation, which published models are without.

    Raises:
        ConfigError: a value is out of range.
    """
    try:
        sizes = {"base_width": settings["width"], "base_depth": settings["depth"]}
        return Decoder.model_validate({**settings, **sizes, "parametrisation": "standard"})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ConfigError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}, got {first['input']!r:.60}") from error


def _mixers(kinds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return mixer or pattern, the shortest that gives ``kinds`` over and over."""
    period = next(size for size in range(1, len(kinds) + 1)
                  if all(kind == kinds[at % size] for at, kind in enumerate(kinds)))  # fmt: skip
    return {"mixer": kinds[0]} if period == 1 else {"mixer": kinds[0], "pattern": kinds[:period]}


def _rotary(config: Mapping[str, Any]) -> dict[str, Any]:
    given = config.get("rope_parameters") or {
        "rope_theta": config.get("rope_theta", 10_000.0), **(config.get("rope_scaling") or {})
    }  # fmt: skip
    rule = given.get("rope_type", given.get("type", "default"))
    if rule not in ("default", "linear", "llama3"):
        raise ConfigError(f"the rotary positions are of type {rule!r}; known are default, linear and llama3")
    if given.get("partial_rotary_factor", config.get("partial_rotary_factor") or 1.0) != 1.0:
        raise ConfigError("the rotary positions turn a part of each head only (partial_rotary_factor)")
    stretch: dict[str, Any] | None = None
    if rule != "default":
        stretch = {"rule": rule, "factor": given["factor"]}
    if rule == "llama3" and stretch is not None:
        stretch |= {"low": given["low_freq_factor"], "high": given["high_freq_factor"],
                    "original": given["original_max_position_embeddings"]}  # fmt: skip
    return {"kind": "rotary", "period": given["rope_theta"], "stretch": stretch}


def config_of(decoder: Decoder, vocabulary: int, context: int) -> dict[str, Any]:
    """Return the settings that these architectures share, as near to ``decoder`` as they can say."""
    depth, width = decoder.size()
    mixer, feedforward = plain(decoder.mixers()[0]), plain(decoder.feedforward)
    head_dim, sharing = mixer["head_dim"], mixer.get("queries_per_kv", 1)
    heads = mixer.get("heads") or max(1, width // head_dim)
    position = plain(decoder.position)
    rotary: dict[str, Any] = {"rope_type": "default", "rope_theta": position.get("period", 10_000.0)}
    if stretch := position.get("stretch"):
        rotary |= {"rope_type": stretch["rule"], "factor": stretch["factor"]}
        if stretch["rule"] == "llama3":
            rotary |= {"low_freq_factor": stretch["low"], "high_freq_factor": stretch["high"],
                       "original_max_position_embeddings": stretch["original"]}  # fmt: skip
    return {
        "hidden_size": width, "intermediate_size": round(feedforward.get("expansion", 3.0) * width),
        "num_hidden_layers": depth, "num_attention_heads": heads, "num_key_value_heads": max(1, heads // sharing),
        "head_dim": head_dim, "hidden_act": "silu", "rms_norm_eps": plain(decoder.norm).get("epsilon", 1e-6),
        "rope_parameters": rotary, "tie_word_embeddings": decoder.tied, "vocab_size": vocabulary,
        "max_position_embeddings": context, "attention_dropout": 0.0,
    }  # fmt: skip


def windows_of(config: Mapping[str, Any]) -> list[int | None]:
    """Return the window of every layer of a Qwen config, None for full attention."""
    depth = int(config["num_hidden_layers"])
    if not config.get("use_sliding_window") or not config.get("sliding_window"):
        return [None] * depth
    first = int(config.get("max_window_layers", depth))
    types = config.get("layer_types") or [_SLIDING if number >= first else _FULL for number in range(depth)]
    return [int(config["sliding_window"]) if kind == _SLIDING else None for kind in types]


def said_windows(decoder: Decoder) -> dict[str, Any]:
    """Return the settings of a Qwen config that give every layer its window."""
    windows = [getattr(mixer, "window", None) for mixer in decoder.mixers()]
    widest = next((window for window in windows if window is not None), None)
    return {"use_sliding_window": widest is not None, "sliding_window": widest, "max_window_layers": len(windows),
            "layer_types": [_FULL if window is None else _SLIDING for window in windows]}  # fmt: skip


def links_of(decoder: Decoder) -> list[Link]:
    """Return the names of the tensors."""
    depth, _ = decoder.size()
    layer, block = "model.layers.{n}.", "blocks.{n}."
    names = {
        "input_layernorm.weight": "residual.mixer_norm.gain", "self_attn.q_proj.weight": "mixer.query",
        "self_attn.k_proj.weight": "mixer.key", "self_attn.v_proj.weight": "mixer.value",
        "self_attn.o_proj.weight": "mixer.output", "post_attention_layernorm.weight": "residual.feedforward_norm.gain",
        "mlp.gate_proj.weight": "feedforward.gate", "mlp.up_proj.weight": "feedforward.up",
        "mlp.down_proj.weight": "feedforward.down",
    }  # fmt: skip
    mixer = plain(decoder.mixers()[0])
    if mixer.get("qk_norm"):
        names |= {"self_attn.q_norm.weight": "mixer.query_gain", "self_attn.k_norm.weight": "mixer.key_gain"}
    if mixer.get("bias", "none") != "none":
        names |= {f"self_attn.{one[0]}_proj.bias": f"mixer.{one}_bias" for one in ("query", "key", "value")}
    if mixer.get("bias") == "all":
        names["self_attn.o_proj.bias"] = "mixer.output_bias"
    found = [Link("model.embed_tokens.weight", ("embedding",))]
    found += per_block(depth, *(Link(layer + theirs, (block + ours,)) for theirs, ours in names.items()))
    found.append(Link("model.norm.weight", ("norm.gain",)))
    return found if decoder.tied else [*found, Link("lm_head.weight", ("output",))]
