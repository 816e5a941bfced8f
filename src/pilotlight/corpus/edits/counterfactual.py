"""Texts in which the women are men and the men are women, so that neither says more about one than the other."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import ClassVar, final

from pydantic import model_validator

from pilotlight.corpus.edit import Edit, Scope
from pilotlight.corpus.languages.codes import checked_code, language_code
from pilotlight.corpus.languages.identify import identify
from pilotlight.corpus.lexicons.swaps import GENDERED, Swaps, make_swaps
from pilotlight.corpus.view import Values, View
from pilotlight.errors import ConfigError
from pilotlight.units import Share


@cache
def _swaps(pairs: tuple[tuple[str, str], ...]) -> Swaps:
    return make_swaps(pairs)


@final
class Counterfactual(Edit):
    """Swaps paired words (she/he, aunt/uncle) in half of the texts: counterfactual augmentation (Lu et al. 2018).

    A text and its swapped twin are told apart by their first paired word, and a hash of what both have in common
    decides which of the two goes into the corpus. So the choice is the same for both, half of the texts change, and a
    text that was edited stays as it is. Each text is replaced, never added to.

    The grammar is that of English: ``her`` becomes ``his`` before a noun and ``him`` elsewhere. For another language
    give ``language`` and ``pairs`` of words whose articles and endings agree, or list those too. A text about a named
    person becomes untrue: names stay unless listed.
    """

    columns: ClassVar[Mapping[str, str]] = {"swapped": "words swapped, number"}
    examples: ClassVar[tuple[tuple[str, str], ...]] = (
        (
            "She thanked him, because his aunt had lent her the money for the house.",
            "He thanked her, because her uncle had lent him the money for the house.",
        ),
        (
            "The waitress said that the table was hers, and gave her brother the keys.",
            "The waiter said that the table was his, and gave his sister the keys.",
        ),
        ("His mother told him that the boys had gone home.", "His mother told him that the boys had gone home."),
        ("Nothing here has to be changed at all.", "Nothing here has to be changed at all."),
    )

    applies_to: Scope = "prose"
    """Which texts the step looks at: prose."""
    language: str = "en"
    """Language of the pairs; texts in others are left alone."""
    gendered: bool = True
    """Swap the English words for men and women that come with the package; only where ``language`` is en."""
    pairs: tuple[tuple[str, str], ...] = ()
    """More pairs of single words."""
    names: tuple[tuple[str, str], ...] = ()
    """Pairs of first names, such as [John, Mary]."""
    share: Share = 0.5
    """Share of texts whose first paired word is to be the second of its pair."""

    @model_validator(mode="after")
    def _usable(self) -> Counterfactual:
        try:
            checked_code(self.language)
            self._ready()
        except ConfigError as error:
            raise ValueError(str(error)) from None
        return self

    def edit(self, text: str) -> str:
        """Return the text, or its twin with every paired word swapped."""
        return self._chosen(text, None)[0]

    def edit_view(self, view: View) -> tuple[str, Values]:
        """Return the text or its twin, and how many words were swapped; the language is that of the facts if known."""
        text, swapped = self._chosen(view.text, view.facts.get("language"))
        return text, {"swapped": swapped}

    def _ready(self) -> Swaps | None:
        own = tuple((left, right) for left, right in (pair.split() for pair in GENDERED))
        given = own if self.gendered and language_code(self.language) == "en" else ()
        pairs = (*given, *self.pairs, *self.names)
        return _swaps(pairs) if pairs else None

    def _chosen(self, text: str, language: str | None) -> tuple[str, int]:
        import xxhash

        swaps = self._ready()
        if swaps is None or (side := swaps.first_side(text)) is None:
            return text, 0
        # Everything is decided on what a text and its twin share, so both come out the same.
        normal = swaps.normal(text)
        if (language or identify(normal)[0]) != language_code(self.language):
            return text, 0
        number = xxhash.xxh3_64_intdigest(normal.encode("utf-8", "replace"), seed=3)
        wanted = int(number < self.share * 2.0**64)
        return (text, 0) if side == wanted else swaps.swapped(text)
