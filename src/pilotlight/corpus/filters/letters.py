"""Texts that are mostly digits and symbols."""

from __future__ import annotations

import re
from typing import ClassVar, final

from pilotlight.corpus.filter import Filter
from pilotlight.corpus.view import Values, View
from pilotlight.units import Share

_NO_LETTER = bytes(byte for byte in range(128) if not chr(byte).isalpha())
_OTHER_LETTER = re.compile(r"[^\W\d_\x00-\x7f]")


@final
class Letters(Filter):
    """Keeps texts of which letters, of any script, are at least a share of what is not white space.

    Ordinary prose has 0.9 and more, source code 0.6 to 0.8, tables in code 0.35 to 0.5, tables of
    numbers less than 0.3.
    """

    columns: ClassVar = {"letters": "share of letters in the characters that are not white space; 1 if there are none"}
    keeps: ClassVar[tuple[str, ...]] = (
        "The year 1492 (and 1493, 1494) saw three voyages; see pp. 12-15.",
        "for i in range(10):\n    total[i] += a[i] * b[i]  # (sum)\n",
        "Article 3.2.1: El Govern aprova, amb data 12/05/2003, el Decret 45/2003.",
        "नियम सभी पर लागू होते हैं",
    )
    drops: ClassVar[tuple[str, ...]] = (
        "12.4 13.5 11.0 | 17.2 18.1 19.9 | 20.0 21.4 23.3 total",
        "........................ 12\n........................ 14\n==== + ==== + ====",
        "0x1024, 0x2048, 0x4096, 0x8192,\n" * 20,
    )

    least: Share = 0.35
    """Smallest share of letters."""

    def measure(self, view: View) -> Values:
        """Return the share of letters; ASCII is counted as bytes, 20 times faster."""
        letters = len(view.plain.translate(None, _NO_LETTER))
        if len(view.plain) < len(view.text):
            letters += len(_OTHER_LETTER.findall(view.text))
        return {"letters": letters / view.visible if view.visible else 1.0}

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return the share of letters if it is too small."""
        if (share := float(values["letters"])) < self.least:
            return f"few letters: {share:.2f} of the characters, less than {self.least:.2f}"
        return None
