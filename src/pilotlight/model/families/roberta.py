"""RoBERTa."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, final

from pilotlight.model.families import Family
from pilotlight.model.families._encoder import config_of, decoder_of, fold, links_of, unfold

if TYPE_CHECKING:
    from torch import Tensor

    from pilotlight.model.decoder import Decoder
    from pilotlight.model.families._links import Link

_PADDING = 1
_TYPES = 1


@final
class Roberta(Family):
    """RoBERTa with its head for masked tokens (Liu et al. 2019): BERT whose places are counted from the padding id on.

    Rows without padding have the same logits; a padding id inside a row gets a place of its own there.
    """

    model_type: ClassVar[str] = "roberta"
    architecture: ClassVar[str] = "RobertaForMaskedLM"
    prefix: ClassVar[str] = "roberta."
    output: ClassVar[str] = "lm_head.decoder.weight"
    unused: ClassVar[tuple[str, ...]] = (r".*\.position_ids", r"roberta\.pooler\..*", r"lm_head\.decoder\.bias")
    causal: ClassVar[bool] = False

    def decoder(self, config: Mapping[str, Any]) -> Decoder:
        """Return the decoder of a config."""
        return decoder_of(config, _before(config))

    def config(self, decoder: Decoder, vocabulary: int, context: int) -> dict[str, Any]:
        """Return the config nearest to a decoder."""
        own = {"type_vocab_size": _TYPES, "pad_token_id": _PADDING}
        return {**config_of(decoder, vocabulary, context, _PADDING + 1), **own}

    def links(self, decoder: Decoder) -> list[Link]:
        """Return the names of the tensors."""
        head = {
            "lm_head.bias": "output_bias", "lm_head.dense.weight": "change.matrix", "lm_head.dense.bias": "change.bias",
            "lm_head.layer_norm.weight": "change.norm.gain", "lm_head.layer_norm.bias": "change.norm.bias",
        }  # fmt: skip
        own = {} if decoder.tied else {self.output: "output"}
        return links_of(decoder, "roberta.", head | own)

    def read(self, theirs: dict[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return their tensors with the first token type in the positions, and only real places."""
        return fold(theirs, "roberta.", _before(config))

    def written(self, theirs: dict[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the tensors with token types that add nothing and the rows ahead of the places."""
        return unfold(theirs, "roberta.", _before(config), _TYPES)


def _before(config: Mapping[str, Any]) -> int:
    padding = config.get("pad_token_id")
    return (_PADDING if padding is None else int(padding)) + 1
