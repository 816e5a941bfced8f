"""Texts that say the same again and again."""

from __future__ import annotations

import zlib
from typing import ClassVar, final

from pilotlight.corpus.edit import Scope
from pilotlight.corpus.filter import Filter
from pilotlight.units import Share

_ARTICLE = (
    "Els poders públics garanteixen el dret de tothom a l'educació.\nCap persona no pot ser discriminada per raó de "
    "naixement, sexe o religió.\nLa llei regula l'exercici d'aquests drets i les seves garanties davant els tribunals."
)


@final
class Repetition(Filter):
    """Drops texts of repeated lines, and texts that pack too well to hold much.

    Repeated lines are measured in characters (Rae et al. 2021, Gopher, table A1: 0.2 of the characters; looser here,
    as laws and minutes repeat headings). The second measure finds repetition inside lines, in any language: prose
    packs to 0.3-0.5 of its bytes by zlib level 1.
    """

    keeps: ClassVar[tuple[str, ...]] = (
        _ARTICLE,
        "Article 1\n" + _ARTICLE + "\n\nArticle 2\nEl Consell General és la cambra que representa el poble.\n\n",
        "Row, row, row your boat,\ngently down the stream.\nMerrily, merrily, merrily, merrily,\nlife is but a dream.",
    )
    drops: ClassVar[tuple[str, ...]] = (
        "Log in to see prices and more\n" * 12,
        "Accept cookies to go on\nRead our policy\n" * 6 + "Welcome to our page.",
        "buy it now " * 100,
    )

    lines: Share = 0.5
    """Largest share of the characters that may stand in lines that were there before."""
    packed: Share = 0.1
    """Smallest size after packing, as a share of the size before."""
    applies_to: Scope = "prose"
    """Which texts the step looks at: by default prose, as tables in code repeat themselves with reason."""

    def reason_to_drop(self, text: str) -> str | None:
        """Return the share of repeated lines or the packed size if it is out of bounds."""
        seen: set[str] = set()
        whole = repeated = 0
        for line in text.splitlines():
            line = line.strip()
            whole += len(line)
            repeated += len(line) if line in seen else 0
            seen.add(line)
        if repeated > self.lines * whole:
            return f"repeated lines: {repeated / whole:.2f} of the characters, more than {self.lines:.2f}"
        data = text.encode()
        packed = len(zlib.compress(data, 1)) / max(len(data), 1)
        if packed < self.packed:
            return f"repeats itself: packs to {packed:.3f} of its size, less than {self.packed:.3f}"
        return None
