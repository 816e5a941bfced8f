"""Qwen2."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, final

from pilotlight.model.families import Family
from pilotlight.model.families._gated import config_of, decoder_of, links_of, said_windows, windows_of

if TYPE_CHECKING:
    from pilotlight.model.decoder import Decoder
    from pilotlight.model.families._links import Link


@final
class Qwen2(Family):
    """Qwen2 and Qwen2.5 (Yang et al. 2024)."""

    model_type: ClassVar[str] = "qwen2"
    architecture: ClassVar[str] = "Qwen2ForCausalLM"
    prefix: ClassVar[str] = "model."
    unused: ClassVar[tuple[str, ...]] = (r".*\.rotary_emb\.inv_freq",)

    def decoder(self, config: Mapping[str, Any]) -> Decoder:
        """Return the decoder of a config."""
        return decoder_of(config, qk_norm=False, bias="inputs", windows=windows_of(config))

    def config(self, decoder: Decoder, vocabulary: int, context: int) -> dict[str, Any]:
        """Return the config nearest to a decoder."""
        return {**config_of(decoder, vocabulary, context), **said_windows(decoder)}

    def links(self, decoder: Decoder) -> list[Link]:
        """Return the names of the tensors."""
        return links_of(decoder)
