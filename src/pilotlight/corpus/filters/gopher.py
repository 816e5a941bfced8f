"""Texts that do not look like prose: Gopher's rules of quality, for any language."""

from __future__ import annotations

from typing import ClassVar, final

from pydantic import Field

from pilotlight.corpus.edit import Scope
from pilotlight.corpus.filter import Filter
from pilotlight.corpus.stop_words import STOP_WORDS, UNSPACED_STOP_WORDS
from pilotlight.corpus.view import Values, View
from pilotlight.units import Count, Share

# Neither dashes nor hyphens without a space: dialogue begins with them in many languages.
_BULLETS = (*"•‣⁃◦▪▫●○■□◆◇▶►➢➤✓✔›", "- ", "* ", "+ ")
_FIRST = frozenset(bullet[0] for bullet in _BULLETS)
_STORY = (
    "The ferry to the island leaves at seven in the morning, and those who miss it have to wait until noon. When the "
    "sea is rough, the captain may decide to stay in the harbour; nobody on the pier will complain, because they have "
    "seen what the waves can do with a boat of that size."
)


def _heading(line: str) -> int:
    """Return how many hash signs make the line a heading."""
    rest = line.lstrip("#")
    return len(line) - len(rest) if rest[:1] == " " else 0


@final
class Gopher(Filter):
    """Drops texts that break a rule of Rae et al. 2021 (Gopher, appendix A1.1), with the thresholds given there.

    What the paper says of English holds here for the language of the text (its fact ``language``): stop words are
    looked for where there is a list for it. In scripts that write without spaces a word is as many characters as
    stand for one in translations from English. The mean length of words is looked at in alphabets only (Korean words
    have 3 characters, Tamil ones 10), and in no language without a list of stop words (in Greenlandic it is 15).
    """

    columns: ClassVar = {
        "words": "number of words",
        "word_length": "mean characters of a word; -1 in scripts that are no alphabets and in rare languages",
        "hashes": "hash signs for each word, those that mark headings not counted",
        "ellipses": "ellipses for each word",
        "bullet_lines": "share of the lines that begin with a bullet point",
        "ellipsis_lines": "share of the lines that end with an ellipsis",
        "with_letters": "share of the words that have a letter",
        "stop_words": "how many of the stop words of its language are in the text; -1 if no list is there",
    }
    keeps: ClassVar[tuple[str, ...]] = (
        _STORY,
        "- " + _STORY.replace(", ", ",\n") + "\n- In winter, the ferry goes on Mondays only...",
        "法律面前人人平等，任何人不得凌驾于法律之上。公民有权了解政府的工作，也有权提出批评和建议。"
        "政府应当公开信息，听取意见，并且在合理的时间内作出答复。如果公民对答复不满意，可以向法院提起诉讼，由法院依法作出判决。",
    )
    drops: ClassVar[tuple[str, ...]] = (
        "Page not found",
        "a b c d e f g h i j k l m " * 10,
        " ".join(f"donaudampfschifffahrtsgesellschaft{number}" for number in range(60)),
        _STORY.replace(" ", " #"),
        _STORY.replace(" ", "... "),
        "\n".join(f"• {word}" for word in _STORY.split()),
        _STORY.replace(", ", "...\n").replace("; ", "…\n").replace(". ", "...\n") + "..",
        _STORY + " 1990 1.5 22 17 84 12" * 12,
    )

    least_words: Count = 50
    """Fewest words."""
    most_words: Count = 100_000
    """Most words."""
    shortest: float = Field(default=3.0, ge=0)
    """Smallest mean length of words, in characters."""
    longest: float = Field(default=10.0, gt=0)
    """Largest mean length of words, in characters."""
    symbols: float = Field(default=0.1, ge=0)
    """Most hash signs, and most ellipses, for each word."""
    bullet_lines: Share = 0.9
    """Largest share of lines that begin with a bullet point."""
    ellipsis_lines: Share = 0.3
    """Largest share of lines that end with an ellipsis."""
    with_letters: Share = 0.8
    """Smallest share of words that have a letter."""
    stop_words: int = Field(default=2, ge=0)
    """Fewest different stop words of the language."""
    language: str = ""
    """Language of the texts whose language is not known (ISO 639 code); empty: stop words are not looked for there."""
    applies_to: Scope = "prose"
    """Which texts the step looks at: by default prose."""

    def measure(self, view: View) -> Values:
        """Return what the rules look at."""
        words, lines, text = view.words, view.lines, view.text
        known = view.language == "und" or view.language in STOP_WORDS
        count, many = max(words.count, 1), max(len(lines), 1)
        dots = text.count("...") + text.count("…")
        hashes = text.count("#")
        if hashes:  # marks of headings are structure: laws have one for every article
            hashes -= sum([_heading(line) for line in lines if line[0] == "#"])
        trailing = sum([line.endswith(("...", "…")) for line in lines]) if dots else 0
        return {
            "words": words.count,
            "word_length": words.mean_length if words.comparable and known else -1.0,
            "hashes": hashes / count,
            "ellipses": dots / count,
            "bullet_lines": sum([line[0] in _FIRST and line.startswith(_BULLETS) for line in lines]) / many,
            "ellipsis_lines": trailing / many,
            "with_letters": max(0.0, 1 - words.without_letters / count),
            "stop_words": self._stop_words(view),
        }

    def reason_to_drop(self, values: Values, source: str = "") -> str | None:
        """Return the first rule that is broken, in the order of the paper."""
        words, length = float(values["words"]), float(values["word_length"])
        if words < self.least_words:
            return f"few words: {words:.0f}, fewer than {self.least_words:.0f}"
        if words > self.most_words:
            return f"many words: {words:.0f}, more than {self.most_words:.0f}"
        if 0 <= length < self.shortest:
            return f"short words: {length:.1f} characters in the mean, less than {self.shortest:g}"
        if length > self.longest:
            return f"long words: {length:.1f} characters in the mean, more than {self.longest:g}"
        for column, rule, most in (
            ("hashes", "hash signs", self.symbols), ("ellipses", "ellipses", self.symbols),
            ("bullet_lines", "bullet points", self.bullet_lines),
            ("ellipsis_lines", "cut-off lines", self.ellipsis_lines),
        ):  # fmt: skip
            if (value := float(values[column])) > most:
                unit = "for each word" if most is self.symbols else "of the lines"
                return f"{rule}: {value:.2f} {unit}, more than {most:g}"
        if (share := float(values["with_letters"])) < self.with_letters:
            return f"words without letters: {share:.2f} of the words have one, less than {self.with_letters:g}"
        if 0 <= (found := int(values["stop_words"])) < self.stop_words:
            return f"few stop words: {found} of the language, fewer than {self.stop_words}"
        return None

    def _stop_words(self, view: View) -> int:
        language = view.language if view.language != "und" else self.language
        if (pieces := UNSPACED_STOP_WORDS.get(language)) is not None:
            return sum([piece in view.text for piece in pieces])
        if (listed := STOP_WORDS.get(language)) is None:
            return -1
        from pilotlight.corpus.words import count_present

        return count_present(view.words, listed)
