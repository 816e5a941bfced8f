"""A part of the corpus that covers its topics."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, final

from pydantic import Field

from pilotlight.corpus.pile import Pile
from pilotlight.corpus.selection import Select
from pilotlight.units import Count, Share


@final
class Diverse(Select):
    """Clusters documents by their words, and keeps evenly over clusters, or the unusual or usual ones of each.

    `far` drops what is closest to the centres, the prototypes (Sorscher et al. 2022; after removal of duplicates it is
    D4, Tirumala et al. 2023); `near` keeps them. Documents without words always stay.
    """

    columns: ClassVar[Mapping[str, str]] = {
        "cluster": "number of the cluster", "distance": "distance from its centre: 1 less the cosine",
    }  # fmt: skip

    share: Annotated[Share, Field(gt=0)] = 0.5
    """How much to keep."""
    of: Literal["bytes", "documents"] = "bytes"
    """What `share` is measured in."""
    keep: Literal["even", "far", "near"] = "even"
    """`even`: the same of each cluster as far as there is so much; `far`, `near`: of each cluster the share that is
    farthest from its centre, or nearest to it."""
    clusters: Annotated[int, Field(ge=1, le=4096)] = 32
    """Number of clusters."""
    centres: Literal["means", "farthest"] = "means"
    """How centres are found: k-means, or farthest first (greedy k-centre), which covers rare kinds of text too."""
    learn_from: Annotated[Count, Field(ge=1, le=1_000_000)] = 10_000
    """Documents on which the centres are found, at most; chosen by a hash of their ids."""
    seed: int = 0
    """Decides on which documents centres are found, where k-means begins, and who stays among equals."""

    def decide(self, pile: Pile) -> list[Path]:
        """Return for every split the unit with the decisions on its documents.

        Raises:
            DataError: there are no documents, or no two share a word.
        """
        from pilotlight.corpus.clusters import place

        module = "pilotlight.corpus.diversity:"
        given = {"seed": self.seed, "clusters": self.clusters, "centres": self.centres, "learn_from": self.learn_from}
        placed = place(pile, given, "luck" if self.keep == "even" else "distance")
        wanted = {"share": self.share, "by": self.of, "keep": self.keep}
        [chosen] = pile.run("parts", f"{module}choose_parts", [(placed, wanted)])
        return pile.run("choose", f"{module}choose", [((unit, chosen), {"keep": self.keep}) for unit in placed])

    def report(self, pile: Pile, decided: list[Path]) -> dict[str, Any]:
        """Return how much there was and stays, by cluster and source."""
        from pilotlight.corpus.ranking import told

        del pile
        return told(decided)
