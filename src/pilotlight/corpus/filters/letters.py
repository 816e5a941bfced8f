"""Texts that are mostly digits and symbols."""

from __future__ import annotations

import re
from typing import ClassVar, final

from pilotlight.corpus.filter import Filter
from pilotlight.units import Share

_SPACE = b" \t\n\r\v\f"
_NO_LETTER = bytes(byte for byte in range(128) if not chr(byte).isalpha())
_OTHER_SPACE = re.compile(r"[^\S\x00-\x7f]")
_OTHER_LETTER = re.compile(r"[^\W\d_\x00-\x7f]")


@final
class Letters(Filter):
    """Keeps texts of which letters, of any script, are at least a share of what is not white space.

    Ordinary prose has 0.9 and more, source code 0.6 to 0.8, tables in code 0.35 to 0.5, tables of
    numbers less than 0.3.
    """

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

    def reason_to_drop(self, text: str) -> str | None:
        """Return the share of letters if it is too small."""
        visible, letters = self._count(text)
        if letters < self.least * visible:
            return f"few letters: {letters / visible:.2f} of the characters, less than {self.least:.2f}"
        return None

    @staticmethod
    def _count(text: str) -> tuple[int, int]:
        """Return the number of visible characters and of letters; ASCII is counted as bytes, 20 times faster."""
        plain = text.encode("ascii", "ignore")
        visible = len(text) - len(plain) + len(plain.translate(None, _SPACE))
        letters = len(plain.translate(None, _NO_LETTER))
        if len(plain) < len(text):
            visible -= len(_OTHER_SPACE.findall(text))
            letters += len(_OTHER_LETTER.findall(text))
        return visible, letters
