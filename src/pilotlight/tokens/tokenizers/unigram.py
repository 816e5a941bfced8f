"""A unigram vocabulary over raw text, learnt by SentencePiece so that every text comes back."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field

from pilotlight.manifest import write_atomic
from pilotlight.tokens.text import Text, sampled
from pilotlight.tokens.tokenizer import Encoder, Tokenizer
from pilotlight.units import Count

LONGEST = 64_000
MODEL = "unigram.model"


class Unigram(Tokenizer):
    """Unigram language model over pieces of text, with bytes for what it does not know (Kudo 2018)."""

    vocabulary: int = Field(default=4096, ge=300, le=1_000_000)
    """Most ids: 256 bytes, an unknown one that never occurs, the end token, and the pieces."""
    sample_bytes: Count = Field(default=8e6, ge=1000)
    """UTF-8 bytes of training text to learn from; documents in the order of a hash of their ids. 0.5 MB a second."""
    coverage: float = Field(default=0.9995, gt=0.5, le=1.0)
    """Share of the text's characters that have an id of their own; the rest is spelt in bytes."""
    digits: bool = True
    """Whether each digit is a token of its own; otherwise frequent numbers become tokens."""

    def learn(self, documents: Iterable[Text], folder: Path) -> dict[str, Any]:
        """Return facts about the model, which is now in ``folder``.

        Raises:
            DataError: there is no text to learn from, or too little.
        """
        from pilotlight.tokens.sentence_piece import END, learn_unigram

        passages = sampled(documents, int(self.sample_bytes), LONGEST)
        texts = [passage.text for passage in passages]
        model, characters = learn_unigram(texts, self.vocabulary, self.coverage, digits=self.digits)
        write_atomic(folder / MODEL, model)
        return {
            "sample_bytes": sum(passage.bytes for passage in passages), "sample_documents": len(passages),
            "characters": characters, "end_token": END, "end_token_from": "added",
        }  # fmt: skip

    @staticmethod
    def open(folder: Path) -> Encoder:
        """Return the encoder whose model is in ``folder``."""
        from pilotlight.tokens.sentence_piece import SentencePieces

        return SentencePieces((folder / MODEL).read_bytes(), end=1, escaped=True)
