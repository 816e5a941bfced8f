"""Mistral."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, final

from pilotlight.model.families import Family
from pilotlight.model.families._gated import config_of, decoder_of, links_of

if TYPE_CHECKING:
    from pilotlight.model.decoder import Decoder
    from pilotlight.model.families._links import Link


@final
class Mistral(Family):
    """Mistral (Jiang et al. 2023)."""

    model_type: ClassVar[str] = "mistral"
    architecture: ClassVar[str] = "MistralForCausalLM"
    prefix: ClassVar[str] = "model."
    unused: ClassVar[tuple[str, ...]] = (r".*\.rotary_emb\.inv_freq",)

    def decoder(self, config: Mapping[str, Any]) -> Decoder:
        """Return the decoder of a config."""
        config = {"num_key_value_heads": 8, "sliding_window": 4096, **config}  # defaults of the library
        window = config["sliding_window"]
        windows = [window] * int(config["num_hidden_layers"])
        return decoder_of(config, qk_norm=False, bias="none", windows=windows)

    def config(self, decoder: Decoder, vocabulary: int, context: int) -> dict[str, Any]:
        """Return the config nearest to a decoder."""
        own = {"sliding_window": getattr(decoder.mixers()[0], "window", None)}
        return {**config_of(decoder, vocabulary, context), **own}

    def links(self, decoder: Decoder) -> list[Link]:
        """Return the names of the tensors."""
        return links_of(decoder)
