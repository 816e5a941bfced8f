"""The documents that a language model of the corpus, or of a target text, finds easy, hard or in between."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from pilotlight.corpus.pile import Pile
from pilotlight.corpus.selection import Select
from pilotlight.units import Count, Share


@final
class Perplexity(Select):
    """Head, middle or tail by the perplexity of an n-gram model, in each language (Wenzek et al. 2020, CCNet).

    The model is trained on a target text, on one source, or on the corpus itself; then each document is judged by a
    model that has not seen it.
    """

    columns: ClassVar[Mapping[str, str]] = {
        "perplexity": "bits per byte of words under an n-gram model that has not seen the document"
    }

    target: Path | None = None
    """File with text that is to count as easy: JSONL with the field `text`, or plain text; packed or not."""
    target_source: str = ""
    """Instead of a file: name of the source that is to count as easy. With neither, the corpus itself is."""
    keep: Literal["lowest", "middle", "highest"] = "lowest"
    """Which part to keep: the most expected, the middle, or the least expected."""
    share: Annotated[Share, Field(gt=0)] = 0.67
    """How much to keep, of each group."""
    of: Literal["bytes", "documents"] = "bytes"
    """What `share` is measured in."""
    within: tuple[Literal["language", "source", "content"], ...] = ("language",)
    """Documents compete with those of the same group only: perplexities of two languages say nothing of quality."""
    order: Annotated[int, Field(ge=1, le=6)] = 3
    """Longest n-gram, in words."""
    cells: Annotated[Count, Field(ge=1 << 10, le=1 << 28)] = 1 << 22
    """Cells of each table of counts, raised to a power of two; with 3 orders, 2^22 take 100 MB, shared by all."""
    learn_from: Annotated[Count, Field(gt=0)] = 64e6
    """Bytes of text to learn from, at most; chosen by a hash of the ids."""
    seed: int = 0
    """Decides which documents are learned from, and the order of equal values."""

    @model_validator(mode="after")
    def _at_most_one_target(self) -> Self:
        if self.target is not None and self.target_source:
            raise ValueError("give target (a file) or target_source (the name of a source), not both")
        return self

    def training(self) -> dict[str, Any]:
        """Return the settings of the model, as ``ngram_model.train`` takes them."""
        from pilotlight.corpus.target_text import content_digest

        cells = 1 << (int(self.cells) - 1).bit_length()
        found = {"order": self.order, "cells": cells, "most_bytes": self.learn_from, "seed": self.seed}
        if self.target is None:
            return {**found, "source": self.target_source}
        return {**found, "source": "", "path": str(self.target), "digest": content_digest(self.target)}

    def decide(self, pile: Pile) -> list[Path]:
        """Return for every split the unit with the decisions on its documents.

        Raises:
            ConfigError: documents are to compete within their language and none has one.
            DataError: no document is of the source to learn from, or there are no words to learn.
        """
        from pilotlight.corpus.ngram_model import train
        from pilotlight.corpus.ranking import decide_ranked, kept_range, refuse_without_language

        model = train(pile, self.training())
        given = {"seed": self.seed, "groups": list(self.within)}
        call = "pilotlight.corpus.ngram_model:score_split"
        scored = pile.run("score", call, [((split, model), given) for split in pile.splits])
        if "language" in self.within:
            setting = "perplexity within each language (`within`)"
            refuse_without_language(scored, setting, "set within to [] where all text is in one language")
        end = {"lowest": "too hard", "middle": "too easy or too hard", "highest": "too easy"}[self.keep]
        words = {"column": "perplexity", "reason": end, "missing": "no words"}
        return decide_ranked(pile, scored, {"range": kept_range(self.keep, self.share), "by": self.of}, words)

    def report(self, pile: Pile, decided: list[Path]) -> dict[str, Any]:
        """Return how much there was and stays, by group and source."""
        from pilotlight.corpus.ranking import told

        del pile
        return told(decided)
