"""The documents that are most like a target text, by importance resampling."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from pilotlight.corpus.pile import Pile
from pilotlight.corpus.selection import Select
from pilotlight.units import Count, Share


@final
class Dsir(Select):
    """Importance resampling (Xie et al. 2023): text like the target becomes more likely to stay.

    Every document is a bag of words and pairs of words in hashed buckets; its importance is how much more likely the
    target's distribution makes it than the corpus's. The largest of log importance plus Gumbel noise stay, which is
    sampling without replacement; the noise is a hash of seed and id.
    """

    columns: ClassVar[Mapping[str, str]] = {
        "importance": "log of how much likelier the text is under the target than under the corpus (nats, scaled to "
        "a document of `words` words)"
    }

    target: Path | None = None
    """File with text of the wanted kind: JSONL with the field `text`, or plain text; packed or not."""
    target_source: str = ""
    """Instead of a file: name of the source whose documents are the wanted kind."""
    share: Annotated[Share, Field(gt=0)] = 0.1
    """How much to keep."""
    of: Literal["bytes", "documents"] = "bytes"
    """What `share` is measured in."""
    buckets: Annotated[Count, Field(ge=16, le=1 << 24)] = 10_000
    """Number of hash buckets of the features; 10,000 in the paper."""
    words: Annotated[int, Field(ge=1)] = 128
    """Length to which documents are scaled, so that long ones do not win by length; 128 in the paper."""
    smoothing: Annotated[float, Field(gt=0)] = 1000.0
    """Imagined features, in the proportions of all text, added to both sides: tempers what is rare in a small target."""
    noise: Annotated[float, Field(ge=0)] = 1.0
    """Scale of the Gumbel noise: 1 samples by importance, 0 takes the most important."""
    seed: int = 0
    """Decides the noise."""

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if (self.target is None) == (not self.target_source):
            raise ValueError("give either target (a file) or target_source (the name of a source)")
        return self

    def decide(self, pile: Pile) -> list[Path]:
        """Return for every split the unit with the decisions on its documents.

        Raises:
            DataError: no document is of the source ``target_source``, or the target holds no words.
        """
        from pilotlight.corpus.pile import facts
        from pilotlight.corpus.ranking import decide_ranked, refuse_unknown_sources
        from pilotlight.corpus.target_text import content_digest

        module = "pilotlight.corpus.importance:"
        given: dict[str, Any] = {"buckets": int(self.buckets), "target": self.target_source}
        counted = pile.run("count", f"{module}count_split", [((split,), given) for split in pile.splits])
        if self.target is None:
            known = (name for unit in counted for name in facts(unit)["sources"])
            refuse_unknown_sources((self.target_source,), known, "target_source")
        else:
            named = {"buckets": int(self.buckets), "path": str(self.target), "digest": content_digest(self.target)}
            counted += pile.run("target", f"{module}count_texts", [((), named)])
        merging = {"named": str(self.target or self.target_source), "smoothing": self.smoothing}
        [merged] = pile.run("ratio", f"{module}merge_counts", [(counted, merging)])
        scoring = {"seed": self.seed, "words": self.words, "noise": self.noise}
        scored = pile.run("score", f"{module}score_split", [((split, merged), scoring) for split in pile.splits])
        cut = {"range": [1 - self.share, 1.0], "by": self.of}
        words = {"column": "importance", "reason": "low importance", "missing": "no words"}
        return decide_ranked(pile, scored, cut, words)

    def report(self, pile: Pile, decided: list[Path]) -> dict[str, Any]:
        """Return how much there was and stays, by source."""
        from pilotlight.corpus.ranking import told

        del pile
        return told(decided)
