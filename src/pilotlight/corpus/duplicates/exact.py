"""Texts that read the same: one stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, final

from pilotlight.corpus.duplicate import Duplicates
from pilotlight.corpus.pile import Pile, facts

_UNITS = "pilotlight.corpus.alike.exact_units"


@final
class Exact(Duplicates):
    """Texts that are equal but for white space, letter case and the encoding of accents; one of them stays.

    Held-out text stays before any other, then that of preferred sources, then the document with the smallest id. Two
    texts are taken as equal when a 128-bit hash of them is (xxh3).
    """

    same: ClassVar[tuple[tuple[str, str], ...]] = (
        ("The law is the law.", "The law is the law."),
        ("The  law\nis the LAW.\n", "the law is the law."),
        ("cafe\u0301", "caf\xe9"),
    )
    different: ClassVar[tuple[tuple[str, str], ...]] = (
        ("The law is the law.", "The law is the law!"),
        ("Article 1", "Article 2"),
        ("now here", "nowhere"),
    )

    prefer: tuple[str, ...] = ()
    """Sources whose documents stay before those of others, the most preferred first."""

    def decide(self, pile: Pile) -> list[Path]:
        """Return the decisions on each split; memory is that of a partition of the keys.

        Raises:
            DataError: ``prefer`` names a source that is not there.
        """
        given = [*pile.splits, *([pile.fixed] if pile.fixed else [])]
        tasks: list[tuple[list[Path], dict[str, Any]]] = [
            ([split], {"prefer": self.prefer, "fixed": place >= len(pile.splits)}) for place, split in enumerate(given)
        ]
        from pilotlight.corpus.partitions import partitions_for
        from pilotlight.corpus.ranking import refuse_unknown_sources

        keyed = pile.run("keys", f"{_UNITS}:key", tasks)
        known = (name for unit in keyed for name, *_ in facts(unit)["sources"])
        refuse_unknown_sources(self.prefer, known, "prefer")
        count = partitions_for(sum(facts(unit)["rows"] for unit in keyed))
        joined = pile.run(
            "join", f"{_UNITS}:join", [(keyed, {"partition": place, "partitions": count}) for place in range(count)]
        )
        return pile.run(
            "decide",
            f"{_UNITS}:decide",
            [([keyed[place], *joined], {"split": place}) for place in range(len(pile.splits))],
        )
