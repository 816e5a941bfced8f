"""Texts that are menus, teasers and place holders rather than text."""

from __future__ import annotations

import re
from typing import ClassVar, final

from pilotlight.corpus.edit import Scope
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.view import Values, View
from pilotlight.units import Share

_BULLETS = ("•", "‣", "⁃", "◦", "▪", "●", "○", "■", "□", "»", "›", "* ", "- ", "– ", "+ ")
_PLACE_HOLDERS = re.compile("lorem ipsum dolor sit", re.IGNORECASE)
_SHORT = 80  # characters
_MOSTLY_PLACE_HOLDER = 2420  # characters; a longer text may well speak of place holders
_FEWEST_LINES = 4  # a share of fewer lines says nothing


@final
class Boilerplate(Filter):
    """Drops lists of short bullet points, pages of cut-off teasers, and place-holder text.

    After Rae et al. 2021 (Gopher), appendix A1, which counts lines: more than 0.9 bullet points, more than 0.3 lines
    that end in dots. Counted that way, bibliographies and corrections of laws were dropped; so only short bullet
    points count here, and cut-off lines count by their characters, of which dialogue in novels has up to 0.7.
    """

    columns: ClassVar = {
        "place_holder": "1 if it is a short text with the words lorem ipsum dolor sit, else 0",
        "lines": "number of lines that are not empty",
        "bullets": "share of the lines that are short and begin with a bullet point",
        "cut_off": "share of the characters that stand in lines that end in dots",
    }
    keeps: ClassVar[tuple[str, ...]] = (
        "The rules are these:\n- Be kind to others.\n- Be on time.\n- Bring a pen.\n- Ask.\nNothing else is needed.",
        "He waited...\nShe did not come.\nIt rained, and the street was empty.\nHe went home; nobody saw him again.",
        "- The first book tells how the town was built, and by whom, in the years after the great flood.\n" * 4,
        "On diu:\nRegla 9...\nHa de dir:\nRegla 10...\nCosa que es fa pública per a coneixement general.",
        "Home\nAbout\nThe museum was founded in 1901 by a society of friends of the town.",
    )
    drops: ClassVar[tuple[str, ...]] = (
        "- Home\n- News\n- Shop\n- Contact\n- Login\n- Imprint\n",
        "The minister said on Monday ...\nRead more\nA new road for the…\nRead more\nPrices of bread rose ...",
        "Our story\nLorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt.",
    )

    bullets: Share = 0.9
    """Largest share of lines that are short and begin with a bullet point."""
    cut_off: Share = 0.75
    """Largest share of the characters in lines that end in dots."""
    applies_to: Scope = "prose"
    """Which texts the step looks at: by default prose."""

    def measure(self, view: View) -> Values:
        """Return the signs of boilerplate."""
        text, lines = view.text, view.lines
        dots = sum([len(line) for line in lines if line.endswith(("...", "…"))]) if "..." in text or "…" in text else 0
        short = sum([len(line) < _SHORT and line.startswith(_BULLETS) for line in lines])
        return {
            "place_holder": int(len(text) < _MOSTLY_PLACE_HOLDER and _PLACE_HOLDERS.search(text) is not None),
            "lines": len(lines),
            "bullets": short / max(len(lines), 1),
            "cut_off": dots / max(view.line_characters, 1),
        }

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return which sign of boilerplate was found."""
        bullets, cut_off = float(values["bullets"]), float(values["cut_off"])
        if values["place_holder"]:
            return "place holder: lorem ipsum"
        if int(values["lines"]) < _FEWEST_LINES:
            return None
        if bullets > self.bullets:
            return f"bullet points: {bullets:.2f} of the lines, more than {self.bullets:.2f}"
        if cut_off > self.cut_off:
            return f"cut-off lines: {cut_off:.2f} of the characters, more than {self.cut_off:.2f}"
        return None
