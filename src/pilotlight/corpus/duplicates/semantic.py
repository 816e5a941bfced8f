"""Texts that say nearly the same in nearly the same words, or that an encoder finds alike: one stays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, final

from pydantic import Field

from pilotlight.corpus.duplicate import Duplicates
from pilotlight.corpus.edit import Scope
from pilotlight.corpus.pile import Pile
from pilotlight.errors import DataError

_LEAST_JUDGED = 20
_MOST_CELLS = 1024


@final
class Semantic(Duplicates):
    """Drops a text whose vector points where that of another one points; the one with the smallest id stays.

    Vectors are TF-IDF of words and pairs of words over the documents that are left (so texts are alike that are made of
    the same rare words, in any order), or those of an encoder in ``embeddings``. They are compared inside cells of
    neighbours (k-means) and the cells next to them: Abbas et al. 2023, "SemDeDup: Data-efficient learning at web-scale
    through semantic deduplication". A document goes only when it is alike to one that stays, never along a chain.
    """

    same: ClassVar[tuple[tuple[str, str], ...]] = (
        (
            "Bakers in the old town raised the price of rye bread this spring, because flour from the northern mills "
            "has become scarce after two wet summers and a strike of the millers.",
            "Because flour from the northern mills has become scarce after two wet summers and a strike of the millers, "
            "this spring bakers in the old town raised the price of rye bread.",
        ),
    )
    different: ClassVar[tuple[tuple[str, str], ...]] = (
        (
            "Bakers in the old town raised the price of rye bread this spring, because flour from the northern mills "
            "has become scarce after two wet summers and a strike of the millers.",
            "Fishermen of the outer islands sold their boats that autumn, since herring had moved away from the coast "
            "and the cannery on the mainland would not open its gates again for them.",
        ),
        ("Too short to be compared.", "Too short to be compared!"),
    )

    similarity: Annotated[float, Field(gt=0.0, le=1.0)] = 0.95
    """Cosine from which on two texts count as alike. Encoders differ: look at pairs before you trust a limit."""
    embeddings: Path | None = None
    """Vectors of an encoder: Parquet with columns ``id`` and ``vector``, or .npz with ``ids`` and ``vectors``."""
    per_cell: Annotated[int, Field(ge=10)] = 2000
    """Documents per cell, about: time grows with it, and so does the chance that two that are alike meet."""
    neighbours: Annotated[int, Field(ge=0)] = 1
    """Further cells that a document is compared in."""
    least_words: Annotated[int, Field(ge=1)] = 20
    """Shorter texts are not compared."""
    applies_to: Scope = "all"
    """Which texts the step looks at: all, prose or code."""
    most_removed: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    """Share of the documents of a source (of 20 or more) that may go; more stops the build."""

    def decide(self, pile: Pile) -> list[Path]:
        """Return the decisions: the document that stays, and the cosine to it.

        Raises:
            DataError: more of a source would go than ``most_removed`` allows, or a document has no vector.
        """
        from pilotlight.corpus.pile import facts

        module = "pilotlight.corpus.semantic_units"
        vectors = self._vectors(pile)
        documents = sum(facts(unit)["documents"] for unit in vectors)
        cells = max(1, min(_MOST_CELLS, documents // self.per_cell))
        (centres,) = pile.run("centres", f"{module}:centre", [(vectors, {"cells": cells})])
        cells = max(1, facts(centres)["cells"])
        of_place = [
            ((unit, centres), {"split": number, "neighbours": self.neighbours}) for number, unit in enumerate(vectors)
        ]
        placed = pile.run("cells", f"{module}:place", of_place)
        count = len(pile.splits)
        of_cell: list[dict[str, Any]] = [
            {"cell": number, "splits": count, "similarity": self.similarity} for number in range(cells)
        ]
        attached = pile.run("alike", f"{module}:attach", [(placed, given) for given in of_cell])
        (settled,) = pile.run("settled", f"{module}:settle", [(attached, {"splits": count})])
        tasks = [((vectors[number], settled), {"split": number}) for number in range(count)]
        decided = pile.run("decisions", f"{module}:decide", tasks)
        self._check([facts(unit)["sources"] for unit in vectors[:count]], [facts(unit)["removed"] for unit in decided])
        return decided

    def _vectors(self, pile: Pile) -> list[Path]:
        module = "pilotlight.corpus.semantic_units"
        given = [*pile.splits, *([pile.fixed] if pile.fixed else [])]
        settings: dict[str, Any] = {"least_words": self.least_words, "applies_to": self.applies_to}
        if self.embeddings is not None:
            settings |= {"embeddings": str(self.embeddings), "digest": _digest(self.embeddings)}
            return pile.run("vectors", f"{module}:direct", [((split,), settings) for split in given])
        counted = pile.run("counts", f"{module}:count", [((split,), {}) for split in given])
        (weights,) = pile.run("weights", f"{module}:weigh", [(counted, {})])
        return pile.run("vectors", f"{module}:direct", [((split, weights), settings) for split in given])

    def _check(self, sizes: list[dict[str, int]], removed: list[dict[str, int]]) -> None:
        for source in sorted({name for part in sizes for name in part}):
            documents = sum(part.get(source, 0) for part in sizes)
            gone = sum(part.get(source, 0) for part in removed)
            if documents >= _LEAST_JUDGED and gone > self.most_removed * documents:
                raise DataError(
                    f"{gone} of {documents} documents of {source} are like another one, and semantic may remove "
                    f"{self.most_removed:.0%}. Look at pairs of them; raise similarity, or set most_removed higher."
                )


def _digest(path: Path) -> str:
    import xxhash

    from pilotlight.corpus.reading import chunks

    digest = xxhash.xxh3_128()
    for chunk in chunks(path):
        digest.update(chunk)
    return digest.hexdigest()
