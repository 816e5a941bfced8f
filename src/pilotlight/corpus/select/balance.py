"""The largest corpus with declared shares of sources, languages or kinds of content."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, final

from pydantic import Field, field_validator

from pilotlight.corpus.pile import Pile
from pilotlight.corpus.selection import Select
from pilotlight.units import Share

Axis = Literal["source", "language", "content", "length"]


@final
class Balance(Select):
    """Reweights the corpus to declared shares of its bytes, on one axis or several at once.

    With several axes, the table nearest to the corpus with all these shares is found by iterative proportional
    fitting. Then documents that are too many are dropped, by a hash of seed and id, so that the corpus stays as large
    as it can; with `most_repeats` above 1, documents that are too few are repeated up to so often instead, and the
    corpus grows no larger than it was.
    """

    columns: ClassVar[Mapping[str, str]] = {"repeats": "how often the document is to stand in the corpus"}

    shares: dict[Axis, dict[str, Share]]
    """By axis, by value: the share of the bytes. Values that are not named share the rest as they do now."""
    most_repeats: Annotated[float, Field(ge=1, le=100)] = 1.0
    """How often a document may stand in the corpus; 1: nothing is repeated."""
    seed: int = 0
    """Decides which documents of those too many stay."""

    @field_validator("shares")
    @classmethod
    def _some_shares(cls, shares: dict[Axis, dict[str, Share]]) -> dict[Axis, dict[str, Share]]:
        if not any(shares.values()):
            raise ValueError("no share is declared; expected for example {language: {ca: 50%}}")
        for axis, declared in shares.items():
            if sum(declared.values()) > 1 + 1e-9:
                raise ValueError(
                    f"shares of {axis} add up to {100 * sum(declared.values()):.4g} %, more than the whole"
                )
        return {axis: declared for axis, declared in shares.items() if declared}

    def decide(self, pile: Pile) -> list[Path]:
        """Return for every split the unit with the decisions on its documents.

        Raises:
            ConfigError: no documents have a declared value, or no choice of documents has all the shares, or
                languages are declared and no document has one.
        """
        axes = sorted(self.shares)
        from pilotlight.corpus.ranking import refuse_without_language

        module = "pilotlight.corpus.balancing:"
        given = {"axes": axes, "seed": self.seed}
        measured = pile.run("measure", f"{module}measure", [((split,), given) for split in pile.splits])
        if "language" in self.shares:
            refuse_without_language(measured, "balance with shares of language", "declare shares of another axis")
        plan = {"shares": {axis: self.shares[axis] for axis in axes}, "most_repeats": self.most_repeats}
        [planned] = pile.run("plan", f"{module}plan", [(measured, plan)])
        return pile.run("choose", f"{module}choose", [((unit, planned), {"seed": self.seed}) for unit in measured])

    def report(self, pile: Pile, decided: list[Path]) -> dict[str, Any]:
        """Return how much there was and stays, and every axis before, after and wanted."""
        from pilotlight.corpus.ranking import told

        del pile
        return told(decided)
