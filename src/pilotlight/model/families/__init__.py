"""Families: published architectures as settings of our decoder, and what their weights are called. One file per family.

A family is a table of names. Whether a decoder can be written as one is not a rule of its own: its settings go to the
family's ``config.json`` and back, and what does not come back as it was cannot be said there.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from pilotlight.spec import Part

if TYPE_CHECKING:
    from torch import Tensor

    from pilotlight.model.decoder import Decoder
    from pilotlight.model.families._links import Link


class Family(Part):
    """A published architecture; it has no settings."""

    folder: ClassVar[str] = "pilotlight.model.families"
    model_type: ClassVar[str]
    """What ``config.json`` calls it."""
    architecture: ClassVar[str]
    """The class of the transformers library with the head that makes logits."""
    prefix: ClassVar[str]
    """What stands before the names of a model's tensors, unless they were saved without the head."""
    output: ClassVar[str] = "lm_head.weight"
    """The matrix that makes logits; where it is the embedding, a file may hold it all the same."""
    unused: ClassVar[tuple[str, ...]] = ()
    """Regular expressions of tensors that are no part of the logits."""
    causal: ClassVar[bool] = True
    """Whether a token sees only those before it."""

    @abstractmethod
    def decoder(self, config: Mapping[str, Any]) -> Decoder:
        """Return the decoder that computes what a model with this ``config.json`` does.

        Raises:
            ConfigError: there is no such decoder; says which setting stands in the way.
        """

    @abstractmethod
    def config(self, decoder: Decoder, vocabulary: int, context: int) -> dict[str, Any]:
        """Return the ``config.json`` of the model that is nearest to ``decoder``; what it cannot say is left out."""

    @abstractmethod
    def links(self, decoder: Decoder) -> list[Link]:
        """Return which of their tensors is which of ours; whatever the decoder lacks is left out."""

    def read(self, theirs: dict[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return their tensors with what our decoder does not tell apart put together."""
        del config
        return theirs

    def written(self, theirs: dict[str, Tensor], config: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the tensors of ``links`` with those added that the family has beyond them."""
        del config
        return theirs
