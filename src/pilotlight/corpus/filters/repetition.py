"""Texts that say the same again and again."""

from __future__ import annotations

import zlib
from typing import ClassVar, final

from pilotlight.corpus.edit import Scope
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.view import Values, View
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

    columns: ClassVar = {
        "lines": "share of the characters that stand in lines that were there before",
        "packed": "size after packing, as a share of the size before; 1 for an empty text",
    }
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

    def measure(self, view: View) -> Values:
        """Return the share of repeated lines and the packed size."""
        return {
            "lines": view.repeated_lines[1] / max(view.line_characters, 1),
            "packed": len(zlib.compress(view.data, 1)) / len(view.data) if view.data else 1.0,
        }

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return the share of repeated lines or the packed size if it is out of bounds."""
        lines, packed = float(values["lines"]), float(values["packed"])
        if lines > self.lines:
            return f"repeated lines: {lines:.2f} of the characters, more than {self.lines:.2f}"
        if packed < self.packed:
            return f"repeats itself: packs to {packed:.3f} of its size, less than {self.packed:.3f}"
        return None
