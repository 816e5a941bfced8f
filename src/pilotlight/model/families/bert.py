"""BERT."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, final

from pilotlight.model.families import Family
from pilotlight.model.families._encoder import config_of, decoder_of, fold, links_of, unfold

if TYPE_CHECKING:
    from torch import Tensor

    from pilotlight.model.decoder import Decoder
    from pilotlight.model.families._links import Link

_TYPES = 2


@final
class Bert(Family):
    """BERT with its head for masked tokens (Devlin et al. 2019); all tokens are of the first type."""

    model_type: ClassVar[str] = "bert"
    architecture: ClassVar[str] = "BertForMaskedLM"
    prefix: ClassVar[str] = "bert."
    output: ClassVar[str] = "cls.predictions.decoder.weight"
    unused: ClassVar[tuple[str, ...]] = (
        r".*\.position_ids", r"bert\.pooler\..*", r"cls\.seq_relationship\..*", r"cls\.predictions\.decoder\.bias",
    )  # fmt: skip
    causal: ClassVar[bool] = False

    def decoder(self, config: Mapping[str, Any]) -> Decoder:
        """Return the decoder of a config."""
        return decoder_of(config, 0)

    def config(self, decoder: Decoder, vocabulary: int, context: int) -> dict[str, Any]:
        """Return the config nearest to a decoder."""
        return {**config_of(decoder, vocabulary, context, 0), "type_vocab_size": _TYPES}

    def links(self, decoder: Decoder) -> list[Link]:
        """Return the names of the tensors."""
        change = "cls.predictions.transform."
        head = {
            "cls.predictions.bias": "output_bias", f"{change}dense.weight": "change.matrix",
            f"{change}dense.bias": "change.bias", f"{change}LayerNorm.weight": "change.norm.gain",
            f"{change}LayerNorm.bias": "change.norm.bias",
        }  # fmt: skip
        own = {} if decoder.tied else {self.output: "output"}
        return links_of(decoder, "bert.", head | own)

    def read(self, theirs: dict[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return their tensors with the first token type in the positions."""
        return fold(theirs, "bert.", 0)

    def written(self, theirs: dict[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the tensors with token types that add nothing."""
        return unfold(theirs, "bert.", 0, _TYPES)
