"""GPT-2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, final

from pilotlight.errors import ConfigError
from pilotlight.model.families import Family
from pilotlight.model.families._gated import read_decoder
from pilotlight.model.families._links import Link, per_block
from pilotlight.spec import plain

if TYPE_CHECKING:
    from pilotlight.model.decoder import Decoder

_FORMS = {"gelu_new": "tanh", "gelu_pytorch_tanh": "tanh", "gelu": "exact"}


@final
class GPT2(Family):
    """GPT-2 (Radford et al. 2019)."""

    model_type: ClassVar[str] = "gpt2"
    architecture: ClassVar[str] = "GPT2LMHeadModel"
    prefix: ClassVar[str] = "transformer."
    unused: ClassVar[tuple[str, ...]] = (r".*\.attn\.(masked_)?bias",)

    def decoder(self, config: Mapping[str, Any]) -> Decoder:
        """Return the decoder of a config."""
        form = _FORMS.get(config.get("activation_function", "gelu_new"))
        if form is None:
            raise ConfigError(
                f"activation_function is {config['activation_function']!r}; known are {', '.join(_FORMS)}"
            )
        if not config.get("scale_attn_weights", True) or config.get("scale_attn_by_inverse_layer_idx"):
            raise ConfigError("attention is scaled in a way of its own (scale_attn_weights, "
                              "scale_attn_by_inverse_layer_idx)")  # fmt: skip
        width = int(config["n_embd"])
        inner = int(config.get("n_inner") or 4 * width)
        return read_decoder({
            "depth": int(config["n_layer"]), "width": width, "tied": bool(config.get("tie_word_embeddings", True)),
            "mixer": {"kind": "grouped", "head_dim": width // int(config["n_head"]), "qk_norm": False, "bias": "all"},
            "feedforward": {"kind": "gelu", "expansion": inner / width, "form": form, "bias": True},
            "norm": {"kind": "layer", "epsilon": config.get("layer_norm_epsilon", 1e-5)},
            "position": {"kind": "learned", "longest": int(config.get("n_positions", 1024))},
        })  # fmt: skip

    def config(self, decoder: Decoder, vocabulary: int, context: int) -> dict[str, Any]:
        """Return the config nearest to a decoder."""
        depth, width = decoder.size()
        feedforward, mixer = plain(decoder.feedforward), plain(decoder.mixers()[0])
        return {
            "n_embd": width, "n_layer": depth, "n_head": max(1, width // mixer["head_dim"]), "vocab_size": vocabulary,
            "n_inner": round(feedforward.get("expansion", 4.0) * width), "tie_word_embeddings": decoder.tied,
            "activation_function": "gelu_new" if feedforward.get("form") == "tanh" else "gelu",
            "n_positions": plain(decoder.position).get("longest", context), "scale_attn_weights": True,
            "layer_norm_epsilon": plain(decoder.norm).get("epsilon", 1e-5), "attn_pdrop": 0.0, "embd_pdrop": 0.0,
            "resid_pdrop": 0.0,
        }  # fmt: skip

    def links(self, decoder: Decoder) -> list[Link]:
        """Return the names of the tensors."""
        depth, _ = decoder.size()
        layer, block = "transformer.h.{n}.", "blocks.{n}."
        joined = [f"{block}mixer.{name}" for name in ("query", "key", "value")]
        blocks = [
            Link(f"{layer}attn.c_attn.weight", tuple(joined), turned=True),
            Link(f"{layer}attn.c_attn.bias", tuple(f"{name}_bias" for name in joined)),
        ]
        for theirs, ours in (
            ("attn.c_proj", "mixer.output"), ("mlp.c_fc", "feedforward.up"), ("mlp.c_proj", "feedforward.down"),
        ):  # fmt: skip
            blocks.append(Link(f"{layer}{theirs}.weight", (block + ours,), turned=True))
            blocks.append(Link(f"{layer}{theirs}.bias", (f"{block}{ours}_bias",)))
        for theirs, ours in (("ln_1", "residual.mixer_norm"), ("ln_2", "residual.feedforward_norm")):
            blocks.append(Link(f"{layer}{theirs}.weight", (f"{block}{ours}.gain",)))
            blocks.append(Link(f"{layer}{theirs}.bias", (f"{block}{ours}.bias",)))
        found = [Link("transformer.wte.weight", ("embedding",)), Link("transformer.wpe.weight", ("position.table",))]
        found += per_block(depth, *blocks)
        found += [Link("transformer.ln_f.weight", ("norm.gain",)), Link("transformer.ln_f.bias", ("norm.bias",))]
        return found if decoder.tied else [*found, Link("lm_head.weight", ("output",))]
