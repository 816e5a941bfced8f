"""Llama."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, final

from pilotlight.model.families import Family
from pilotlight.model.families._gated import config_of, decoder_of, links_of
from pilotlight.spec import plain

if TYPE_CHECKING:
    from pilotlight.model.decoder import Decoder
    from pilotlight.model.families._links import Link


@final
class Llama(Family):
    """Llama (Touvron et al. 2023; Dubey et al. 2024)."""

    model_type: ClassVar[str] = "llama"
    architecture: ClassVar[str] = "LlamaForCausalLM"
    prefix: ClassVar[str] = "model."
    unused: ClassVar[tuple[str, ...]] = (r".*\.rotary_emb\.inv_freq",)

    def decoder(self, config: Mapping[str, Any]) -> Decoder:
        """Return the decoder of a config."""
        bias = "all" if config.get("attention_bias") else "none"
        windows = [None] * int(config["num_hidden_layers"])
        return decoder_of(config, qk_norm=False, bias=bias, windows=windows)

    def config(self, decoder: Decoder, vocabulary: int, context: int) -> dict[str, Any]:
        """Return the config nearest to a decoder."""
        bias = plain(decoder.mixers()[0]).get("bias") == "all"
        own = {"attention_bias": bias, "mlp_bias": False}
        return {**config_of(decoder, vocabulary, context), **own}

    def links(self, decoder: Decoder) -> list[Link]:
        """Return the names of the tensors."""
        return links_of(decoder)
