"""What changed the stream of batches beyond the seed: a short list, only appended to, kept in every checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from pilotlight.errors import RecordError
from pilotlight.spec import Record


class Skip(Record):
    """Steps ``first`` to ``last``, as they were numbered when the entry was written, are taken out of the stream.

    What was step ``last + 1`` becomes step ``first``, and so on; a later entry speaks of this new numbering.
    """

    kind: Literal["skip"] = "skip"
    """Which entry this is."""
    first: int = Field(ge=0)
    last: int = Field(ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Skip:
        if self.last < self.first:
            raise ValueError(f"a skip ends at step {self.last}, before it begins at {self.first}")
        return self


class Weights(Record):
    """Shares of the rows from place ``step`` of the unskipped stream on, until a later entry changes them."""

    kind: Literal["weights"] = "weights"
    """Which entry this is."""
    step: int = Field(ge=0)
    """Place in the stream before anything is skipped, so that later skips do not move it."""
    weights: dict[str, float]
    """Share of each source; they sum to 1."""
    scores: dict[str, float] = {}
    """What the rule that chose them remembers of each source."""
    updates: int = Field(default=1, ge=1)
    """How many entries of this kind there are, this one included."""


Entry = Skip | Weights


def read_entry(data: Mapping[str, Any]) -> Entry:
    """Return an entry from what ``model_dump`` gave; checkpoints from before there were kinds hold skips.

    Raises:
        RecordError: this version knows no such entry.
    """
    kind = data.get("kind", "skip")
    if kind == "skip":
        return Skip.model_validate(data)
    if kind == "weights":
        return Weights.model_validate(data)
    raise RecordError(
        f"a checkpoint holds a journal entry of kind {kind!r}; expected skip or weights. Use a newer version."
    )
