"""Texts that are nearly the same: one of them stays, and only what is itself like it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, ClassVar, final

from pydantic import Field

from pilotlight.corpus.duplicate import Duplicates
from pilotlight.corpus.pile import Pile, facts
from pilotlight.units import Share

_UNITS = "pilotlight.corpus.alike"
_ROWS_TOGETHER = 250_000


@final
class Near(Duplicates):
    """Texts that share most of their sequences of words; sketches find the pairs, the whole sets decide.

    The similarity of two texts is the share of their sequences of ``words`` words that both have (Jaccard). Texts in
    scripts without spaces are compared by characters. In code every sign counts as a word too, and sequences are twice
    as long. A document goes only if it is itself so like one that stays;
    that its neighbour is does not count. Held-out text stays before any other, then that of preferred sources, then
    the longest, then the document with the smallest id.
    """

    same: ClassVar[tuple[tuple[str, str], ...]] = (
        ("The law is the law.", "the law -- is the LAW!"),
        (
            "The council meets on the first Monday of every month. Its sessions are public, and anyone may ask to "
            "speak for five minutes. Minutes are kept by the secretary and read out at the next session.",
            "The council meets on the first Monday of every month. Its sessions are public, and anyone may ask to "
            "speak for five minutes. Minutes are kept by the secretary and read out at the next one.",
        ),
        (
            "本法自公布之日起施行。任何单位和个人都有义务保护环境，并有权检举。",
            "本法自公布之日起施行。任何单位和个人都有义务保护环境。",
        ),
    )
    different: ClassVar[tuple[tuple[str, str], ...]] = (
        ("Article 1", "Article 2"),
        ("now here", "nowhere"),
        (
            "I certify that Anna Soler, born in Lleida on 3 May 1954, has paid the fee of 12 euros for the year.",
            "I certify that Pere Roca, born in Girona on 9 June 1961, has paid the fee of 30 euros for the year.",
        ),
    )

    similarity: Annotated[Share, Field(ge=0.3)] = 0.7
    """Smallest Jaccard similarity of near duplicates; 0.7 is about one word in 30 changed, or a quarter cut off."""
    recall: Annotated[Share, Field(gt=0, lt=1)] = 0.95
    """Share of the pairs exactly so similar that have to be found; of more similar ones more are."""
    words: Annotated[int, Field(ge=1, le=20)] = 5
    """Length in words of the sequences compared."""
    containment: Annotated[Share, Field(gt=0)] | None = None
    """Drop also what has this share of its sequences in a document that stays; looked for among the pairs compared."""
    prefer: tuple[str, ...] = ()
    """Sources whose documents stay before those of others, the most preferred first."""
    most_removed: Share = 0.5
    """Share of the bytes of a source that may go; when more would, the build stops."""
    limit_from: Annotated[int, Field(ge=1)] = 50
    """Documents from which on a source is held to ``most_removed``."""

    def decide(self, pile: Pile) -> list[Path]:
        """Return the decisions on each split.

        Memory of a unit is that of a partition of the band keys, of the pairs of a split, or of some megabytes of sets.

        Raises:
            DataError: more of a source would go than ``most_removed``, or ``prefer`` names a source that is not there.
        """
        from pilotlight.corpus.alike.bands import derive
        from pilotlight.corpus.alike.limits import check_limits, removed_by_source
        from pilotlight.corpus.partitions import partitions_for
        from pilotlight.corpus.ranking import refuse_unknown_sources

        bands = derive(self.similarity, self.recall)
        given = [*pile.splits, *([pile.fixed] if pile.fixed else [])]
        common = {"words": self.words, "bands": bands.bands, "rows": bands.rows, "prefer": self.prefer}
        tasks: list[tuple[list[Path], dict[str, Any]]] = [
            ([split], {**common, "fixed": place >= len(pile.splits)}) for place, split in enumerate(given)
        ]
        signed = pile.run("sign", f"{_UNITS}.near_units:sign", tasks)
        known = (name for unit in signed for name, *_ in facts(unit)["sources"])
        refuse_unknown_sources(self.prefer, known, "prefer")
        count = partitions_for(sum(facts(unit)["rows"] for unit in signed), _ROWS_TOGETHER)
        joined = pile.run(
            "join", f"{_UNITS}.near_units:join",
            [(signed, {"partition": place, "partitions": count}) for place in range(count)],
        )  # fmt: skip
        least = {"similarity": self.similarity, "containment": self.containment, "signed": len(signed)}
        splits = range(len(pile.splits))
        verified = pile.run(
            "verify", f"{_UNITS}.pairs:verify", [([*signed, *joined], {**least, "split": place}) for place in splits]
        )
        states = self._settle(pile, signed, verified)
        rule = {"splits": len(pile.splits), "similarity": self.similarity, "rule": "near duplicate"}
        decided = pile.run(
            "decide", f"{_UNITS}.settle:decide",
            [([verified[place], *states, *signed], {**rule, "split": place}) for place in splits],
        )  # fmt: skip
        check_limits(removed_by_source(decided), self.most_removed, self.limit_from)
        return decided

    def _settle(self, pile: Pile, signed: list[Path], verified: list[Path]) -> list[Path]:
        """Return what is known about every document after as many rounds as it takes until none is open."""
        states: list[Path] = []
        while not states or any(facts(unit)["open"] for unit in states):
            tasks: list[tuple[list[Path], dict[str, Any]]] = [
                (
                    [unit, *states],
                    {"split": place, "splits": len(pile.splits), "documents": facts(signed[place])["documents"]},
                )
                for place, unit in enumerate(verified)
            ]
            states = pile.run("settle", f"{_UNITS}.settle:settle", tasks)
            if not tasks:
                break
        return states

    def report(self, pile: Pile, decided: list[Path]) -> dict[str, Any]:
        """Return the bands, the chance of a pair to be compared by similarity, and what goes by source."""
        del pile
        from pilotlight.corpus.alike.bands import derive
        from pilotlight.corpus.alike.limits import removed_by_source

        bands = derive(self.similarity, self.recall)
        return {
            "bands": bands.bands, "rows": bands.rows, "curve": bands.curve(), "explained": bands.show(),
            "sources": removed_by_source(decided),
        }  # fmt: skip
