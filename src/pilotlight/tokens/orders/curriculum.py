"""Easy text first, or hard text first."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, final

from pydantic import Field

from pilotlight.spec import plain
from pilotlight.tokens.orders import Order
from pilotlight.units import Share

if TYPE_CHECKING:
    from pilotlight.tokens.order import Length, Mix
    from pilotlight.tokens.tokens import Split


@final
class Curriculum(Order):
    """Documents in levels of about equal size, from easy to hard; the pace says which levels are open.

    ``sqrt`` and ``linear``: competence-based (Platanios et al. 2019). At each moment rows come from the easiest share c of
    the text, as evenly as it is there; c grows from ``start`` to 1 at ``until``. ``stages``: one level after another until
    ``until``, then all. Within a level the order is random and each row comes once an epoch of the level.
    """

    by: Literal["length", "table"] = "length"
    """What is hard: documents of many tokens, or those with a high score in ``table``."""
    table: Path | None = None
    """Parquet, CSV or JSONL file with a score for every document, such as the table of difficulties."""
    id: str = ""
    """Column of the ids; empty: ``id`` or ``item``."""
    score: str = ""
    """Column of the scores; empty: ``score``."""
    missing: Literal["stop", "hardest", "easiest"] = "stop"
    """What to do with documents that have no score in the table."""
    direction: Literal["easy_first", "hard_first"] = "easy_first"
    """Which end comes first."""
    levels: int = Field(default=10, ge=2, le=1000)
    """Number of levels; fewer where single documents are larger than a level."""
    pace: Literal["sqrt", "linear", "stages"] = "sqrt"
    """How levels open."""
    start: Annotated[Share, Field(gt=0)] = 0.1
    """Share of the text that is open at the beginning."""
    until: Annotated[Share, Field(gt=0)] = 0.5
    """Share of the training after which all text is open."""

    def mix(self, split: Split, length: Length) -> Mix:
        """Return the levels and how they open.

        Raises:
            ConfigError: no table is given.
            DataError: the table lacks documents.
        """
        from pilotlight.errors import ConfigError
        from pilotlight.tokens.levels import difficulties, into_levels, opening

        if self.by == "table" and self.table is None:
            raise ConfigError("train.order.table is missing; expected a table of scores, or by: length.")
        scores = difficulties(split, self.table if self.by == "table" else None, (self.id, self.score), self.missing)
        found = into_levels(split, -scores if self.direction == "hard_first" else scores, self.levels, length.context)
        return opening(found, split, length, (self.pace, self.start, self.until))

    def identity(self) -> dict[str, Any]:
        """Return the settings, with the content of the table in place of its path."""
        if self.table is None or self.by != "table":
            return plain(self)
        from pilotlight.corpus.target_text import content_digest

        return {**plain(self), "table": content_digest(self.table)}
