"""Byte-level byte-pair encoding learnt from the corpus: the usual choice."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field

from pilotlight.errors import DataError
from pilotlight.tokens.text import Sample, Text
from pilotlight.tokens.tokenizer import Encoder, Tokenizer
from pilotlight.units import Count

LONGEST = 64_000


class BPE(Tokenizer):
    """Byte-level byte-pair encoding learnt from a sample of the training text (Sennrich et al. 2016)."""

    vocabulary: int = Field(default=4096, ge=258, le=1_000_000)
    """Number of ids: 256 bytes, the merges, and the end token."""
    sample_bytes: Count = Field(default=8e6, ge=1000)
    """UTF-8 bytes of training text to learn from; documents in the order of a hash of their ids."""

    def learn(self, documents: Iterable[Text], folder: Path) -> dict[str, Any]:
        """Return facts about the merges, which are now in ``folder``.

        Raises:
            DataError: there is no text to learn from.
        """
        from pilotlight.tokens.byte_pairs import END, learn_merges, save

        sample = Sample(int(self.sample_bytes), LONGEST)
        for document in documents:
            sample.add(document)
        passages = sample.passages()
        if not passages:
            raise DataError(
                "The training split has no text, so no tokenizer can be learnt. Expected at least one document: "
                "check the sources and filters of the corpus."
            )
        ranks = learn_merges([passage.text for passage in passages], self.vocabulary - 1)
        save(ranks, folder)
        return {
            "sample_bytes": sum(passage.bytes for passage in passages), "sample_documents": len(passages),
            "end_token": END, "end_token_from": "added",
        }  # fmt: skip

    @staticmethod
    def open(folder: Path) -> Encoder:
        """Return the encoder whose merges are in ``folder``."""
        from pilotlight.tokens.byte_pairs import load

        return load(folder)
