"""Qwen3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, final

from pilotlight.errors import ConfigError
from pilotlight.model.families import Family
from pilotlight.model.families._gated import config_of, decoder_of, links_of, said_windows, windows_of
from pilotlight.spec import plain

if TYPE_CHECKING:
    from pilotlight.model.decoder import Decoder
    from pilotlight.model.families._links import Link


@final
class Qwen3(Family):
    """Qwen3 (Yang et al. 2025)."""

    model_type: ClassVar[str] = "qwen3"
    architecture: ClassVar[str] = "Qwen3ForCausalLM"
    prefix: ClassVar[str] = "model."
    unused: ClassVar[tuple[str, ...]] = (r".*\.rotary_emb\.inv_freq",)

    def decoder(self, config: Mapping[str, Any]) -> Decoder:
        """Return the decoder of a config."""
        config = {"head_dim": 128, **config}  # the library's default
        if config.get("rms_norm_eps", 1e-6) != 1e-6:
            raise ConfigError(f"rms_norm_eps is {config['rms_norm_eps']}; norms of queries and keys have 1e-6 here")
        bias = "all" if config.get("attention_bias") else "none"
        return decoder_of(config, qk_norm=True, bias=bias, windows=windows_of(config))

    def config(self, decoder: Decoder, vocabulary: int, context: int) -> dict[str, Any]:
        """Return the config nearest to a decoder."""
        own = {"attention_bias": plain(decoder.mixers()[0]).get("bias") == "all", **said_windows(decoder)}
        return {**config_of(decoder, vocabulary, context), **own, "rms_norm_eps": 1e-6}

    def links(self, decoder: Decoder) -> list[Link]:
        """Return the names of the tensors."""
        return links_of(decoder)
