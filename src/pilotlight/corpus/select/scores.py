"""The documents with the best, middle or worst scores of a table: losses of a pilot run, grades, counts of clicks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, final

from pydantic import Field, model_validator

from pilotlight.corpus.pile import Pile
from pilotlight.corpus.selection import Select
from pilotlight.units import Share


@final
class Scores(Select):
    """Keeps documents by a score per document that was made elsewhere and is read from a table.

    Tables are Parquet, CSV or JSON lines with a column of ids and one of scores. The scores that Pilotlight writes per
    document (`item`, `nats`, `tokens`, `bytes`) are read as they are: the score is the loss in bits per byte. Two
    tables give a difference: with the losses of a small model less those of a good one, the highest are what is
    still to be learned (Mindermann et al. 2022, RHO-LOSS).
    """

    columns: ClassVar[Mapping[str, str]] = {"score": "the score read from the table, or the difference of two"}

    table: Path
    """Parquet, CSV or JSONL file with ids and scores, or a folder of such files."""
    minus: Path | None = None
    """A second table whose scores are subtracted."""
    id: str = ""
    """Column of the ids; empty: `id` or `item`, whichever there is."""
    score: str = ""
    """Column of the scores; empty: `score`, or bits per byte from the columns `nats` and `bytes`."""
    keep: Literal["lowest", "middle", "highest"] = "highest"
    """Which part to keep."""
    share: Annotated[Share, Field(gt=0)] | None = None
    """How much to keep; instead of thresholds."""
    of: Literal["bytes", "documents"] = "bytes"
    """What `share` is measured in."""
    at_least: float | None = None
    """Smallest score to keep; instead of a share."""
    below: float | None = None
    """Score from which on documents go; instead of a share."""
    within: tuple[Literal["language", "source", "content"], ...] = ()
    """Documents compete with those of the same group only; empty: with all."""
    missing: Literal["keep", "drop", "stop"] = "stop"
    """What to do with documents that have no score: keep or drop them, or stop the build."""
    seed: int = 0
    """Decides the order of equal scores."""

    @model_validator(mode="after")
    def _share_or_thresholds(self) -> Self:
        thresholds = self.at_least is not None or self.below is not None
        if (self.share is None) == (not thresholds):
            raise ValueError("give either share, or at_least and/or below")
        if self.at_least is not None and self.below is not None and self.at_least >= self.below:
            raise ValueError(f"at_least {self.at_least:g} is not smaller than below {self.below:g}: nothing would stay")
        return self

    def decide(self, pile: Pile) -> list[Path]:
        """Return for every split the unit with the decisions on its documents.

        Raises:
            DataError: a table cannot be read, or documents have no score and ``missing`` is ``stop``.
            ConfigError: documents are to compete within their language and none has one.
        """
        from pilotlight.corpus.pile import facts
        from pilotlight.corpus.ranking import decide_ranked, kept_range, refuse_without_language
        from pilotlight.corpus.side_table import load_tables, refuse_missing

        tables = load_tables(pile, [path for path in (self.table, self.minus) if path], self.id, self.score)
        given = {"seed": self.seed, "groups": list(self.within), "tables": len(tables)}
        call = "pilotlight.corpus.side_table:score_split"
        scored = pile.run("score", call, [((split, *tables), given) for split in pile.splits])
        if "language" in self.within:
            refuse_without_language(scored, "scores within each language (`within`)", "leave language out of within")
        if self.missing == "stop":
            refuse_missing(self.table, [facts(unit) for unit in scored])
        cut: dict[str, Any] = {"keep_missing": self.missing == "keep"}
        if self.share is None:
            cut["between"] = [self.at_least, self.below]
        else:
            cut |= {"range": kept_range(self.keep, self.share), "by": self.of}
        return decide_ranked(pile, scored, cut, {"column": "score", "reason": "score", "missing": "no score"})

    def report(self, pile: Pile, decided: list[Path]) -> dict[str, Any]:
        """Return how much there was and stays, by group and source."""
        from pilotlight.corpus.ranking import told

        del pile
        return told(decided)
