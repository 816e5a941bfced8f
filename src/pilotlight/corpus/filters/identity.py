"""How often groups of people are named, and how the words around them speak."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import ClassVar, final

from pilotlight.corpus.edit import Scope
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.lexicons.contexts import find_mentions
from pilotlight.corpus.view import Values, View
from pilotlight.units import Count


@final
class Identity(Filter):
    """Counts terms of gender, orientation, religion, ethnicity, age and disability, and the tone around them.

    English, Spanish, French and Catalan; a text in another language counts nothing. Put the step after ``language``:
    a text in an unknown language is read as English. ``pilotlight.corpus.mentions`` folds the columns into a table
    with intervals. Drops nothing unless ``most`` is given.
    """

    columns: ClassVar[Mapping[str, str]] = {
        "groups": 'JSON: by axis/group, [mentions, sum of the tones of their contexts from -1 to 1]',
        "mentions": "mentions of all groups, number",
        "words": "words of the text, number",
        "tone": "tone of the whole text: (good - bad) / (good + bad) words, from -1 to 1",
    }  # fmt: skip
    keeps: ClassVar[tuple[str, ...]] = (
        "Women and men have the same rights; so have Muslims, Jews and Christians.",
        "Les dones grans expliquen contes als infants.",
    )
    drops: ClassVar[tuple[str, ...]] = ("Men, women, boys, girls, mothers, fathers, sons, daughters. " * 20,)

    applies_to: Scope = "prose"
    """Which texts the step looks at: prose."""
    only_annotate: bool = True
    """Measure and report, but drop nothing."""
    most: Count = 100
    """Most mentions in a text of at least so many words that are half mentions: lists of terms, not text about people."""

    def measure(self, view: View) -> Values:
        """Return the mentions by group, and the tone around them and of the text."""
        found = find_mentions(view.text, str(view.facts.get("language", "")))
        groups = {group: [found.counts[group], round(found.tones[group], 4)] for group in sorted(found.counts)}
        return {
            "groups": json.dumps(groups, separators=(",", ":")), "mentions": sum(found.counts.values()),
            "words": found.words, "tone": round(found.tone, 4),
        }  # fmt: skip

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return the number of mentions if the text is little else."""
        mentions, words = int(values["mentions"]), int(values["words"])
        if mentions > self.most and 2 * mentions > words:
            return f"list of terms: {mentions} mentions of groups in {words} words, more than {self.most:.0f} and half"
        return None
