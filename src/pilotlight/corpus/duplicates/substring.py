"""Passages that stand in several documents, letter by letter: cut out of all but one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, final

from pydantic import Field

from pilotlight.corpus.duplicate import Duplicates
from pilotlight.corpus.edit import Scope
from pilotlight.corpus.pile import Pile
from pilotlight.errors import DataError

_PASSAGE = (
    "The ferry leaves the northern harbour every morning at six, and whoever wants to take a bicycle along should be "
    "there a quarter of an hour before. In winter, when the sea is rough, it may stay in port for days; the office "
    "beside the lighthouse hangs out a yellow flag then, which can be seen from most of the town."
)
_LEAST_JUDGED = 20
"""Documents of a source from which on its limit holds."""


@final
class Substring(Duplicates):
    """Cuts passages that stand in another document too out of all but the one with the smallest id.

    Every passage of ``length`` characters or more that two documents share is found, whatever the splits: places
    are chosen by winnowing (Schleimer et al. 2003, "Winnowing: Local Algorithms for Document Fingerprinting"), joined by
    hash, and compared character by character. Shorter ones, down to three quarters of the length, may be found too.
    Why to cut: Lee et al. 2022, "Deduplicating Training Data Makes Language Models Better". A document that is left
    with next to nothing goes, unless another one's text is kept in it.
    """

    columns: ClassVar[Mapping[str, str]] = {
        "shared_share": "share of the characters that stand in a document that keeps them",
        "shared_characters": "number of these characters",
    }
    same: ClassVar[tuple[tuple[str, str], ...]] = ((_PASSAGE, _PASSAGE), (_PASSAGE, f"Notice. {_PASSAGE} Thank you."))
    different: ClassVar[tuple[tuple[str, str], ...]] = (
        ("The ferry leaves every morning at six.", "The ferry leaves every morning at six."),
        (_PASSAGE, _PASSAGE.upper()),
    )

    length: Annotated[int, Field(ge=40)] = 200
    """Characters; shared passages of this length are always found. 200 characters of English are about the 50 tokens
    of Lee et al.; shorter ones are often quotations and names of laws."""
    bounds: Literal["sentence", "word", "none"] = "sentence"
    """Cuts are drawn in to these bounds: a sentence (or line), a word where half of a cut would be lost, or none."""
    within_documents: bool = False
    """Also cut what a document repeats of itself."""
    least_left: Annotated[int, Field(ge=0)] = 100
    """Characters other than white space; a document that would keep fewer goes as a whole."""
    applies_to: Scope = "prose"
    """Which texts the step looks at: all, prose or code. Code with passages cut out does not run."""
    most_removed: Annotated[float, Field(gt=0.0, le=1.0)] = 0.9
    """Share of the characters of a source (of 20 documents or more) that may go; more stops the build."""

    def decide(self, pile: Pile) -> list[Path]:
        """Return the decisions: cuts with the document that keeps each, or the document that stands for the whole.

        Raises:
            DataError: more of a source would go than ``most_removed`` allows.
        """
        from pilotlight.corpus.partitions import partitions_for
        from pilotlight.corpus.pile import DOCUMENTS, facts

        module = "pilotlight.corpus.substring_units"
        window = max(8, self.length // 4)
        settings = {"least": self.length - window + 1, "window": window}
        given = [*pile.splits, *([pile.fixed] if pile.fixed else [])]
        # Packed text is about a third of its size, and two of ``window + 1`` places are anchors.
        size = sum((split / DOCUMENTS).stat().st_size for split in given)
        partitions = partitions_for(3 * size * 2 // (window + 1))
        of_find = {**settings, "partitions": partitions, "applies_to": self.applies_to}
        texts = pile.run("anchors", f"{module}:find", [((at,), {**of_find, "split": n}) for n, at in enumerate(given)])
        of_link = {"splits": len(pile.splits), "within_documents": self.within_documents}
        links = pile.run(
            "links", f"{module}:link", [(texts, {**of_link, "partition": number}) for number in range(partitions)]
        )
        of_span = {**settings, "bounds": self.bounds, "texts": len(texts)}
        numbers = range(len(pile.splits))
        spans = pile.run(
            "spans", f"{module}:span", [((*texts, *links), {**of_span, "split": number}) for number in numbers]
        )
        of_end = [
            {"least_left": self.least_left, "split": number, "sources": facts(texts[number])["sources"]}
            for number in numbers
        ]
        decided = pile.run(
            "decisions", f"{module}:decide", [((spans[number], *spans), of_end[number]) for number in numbers]
        )
        self._check([facts(texts[number])["sizes"] for number in numbers], [facts(unit)["removed"] for unit in decided])
        return decided

    def _check(self, sizes: list[dict[str, list[int]]], removed: list[dict[str, list[int]]]) -> None:
        for source in sorted({name for part in sizes for name in part}):
            documents, characters = (sum(part.get(source, [0, 0])[at] for part in sizes) for at in (0, 1))
            gone = sum(part.get(source, [0, 0])[1] for part in removed)
            if documents >= _LEAST_JUDGED and gone > self.most_removed * characters:
                raise DataError(
                    f"{gone / characters:.0%} of the characters of {source} stand in other documents, and substring may "
                    f"remove {self.most_removed:.0%}. Look at what the source shares with the others; leave it out, or "
                    "set most_removed of the step higher."
                )
