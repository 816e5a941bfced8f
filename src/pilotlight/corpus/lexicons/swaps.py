"""Pairs of words that differ in gender, how one is put for the other, and a form of a text that both share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from pilotlight.errors import ConfigError

GENDERED = (
    "he she", "him her", "his her", "his hers", "himself herself", "man woman", "men women", "boy girl", "boys girls",
    "male female", "males females", "gentleman lady", "gentlemen ladies", "father mother", "fathers mothers", "dad mom",
    "dads moms", "daddy mommy", "papa mama", "son daughter", "sons daughters", "husband wife", "husbands wives",
    "brother sister", "brothers sisters", "uncle aunt", "uncles aunts", "nephew niece", "nephews nieces",
    "grandfather grandmother", "grandfathers grandmothers", "grandpa grandma", "grandson granddaughter",
    "grandsons granddaughters", "stepfather stepmother", "stepson stepdaughter", "boyfriend girlfriend",
    "boyfriends girlfriends", "groom bride", "grooms brides", "widower widow", "widowers widows",
    "king queen", "kings queens", "prince princess", "princes princesses", "duke duchess", "dukes duchesses",
    "emperor empress", "actor actress", "actors actresses", "waiter waitress", "waiters waitresses", "hero heroine",
    "heroes heroines", "policeman policewoman",
    "policemen policewomen", "businessman businesswoman", "businessmen businesswomen", "fireman firewoman",
    "firemen firewomen", "chairman chairwoman", "chairmen chairwomen", "spokesman spokeswoman",
    "spokesmen spokeswomen", "congressman congresswoman", "congressmen congresswomen", "salesman saleswoman",
    "salesmen saleswomen", "sportsman sportswoman", "sportsmen sportswomen", "masculine feminine",
    "masculinity femininity", "manhood womanhood", "boyhood girlhood", "fatherhood motherhood", "paternal maternal",
    "brotherhood sisterhood", "mr ms", "mr mrs", "sir madam", "wizard witch", "wizards witches", "monk nun",
    "monks nuns", "landlord landlady", "landlords landladies",
)  # fmt: skip
"""English words for men and for women, in pairs."""

# After these, "her" is an object ("saw her in town") and "his" stands alone ("a friend of his and ...").
_AFTER_OBJECT_TEXT = """
a about above after again against all along also always an and another any are around as aside at away back be
because been before behind being below beside between both but by can could did do does down during each either
even every for from gave get got had has have he here how i if in inside instead into is it just last later
maybe might more must near never next no nor not now of off on once only onto or out outside over past please
she should since so some soon still than that the their then there these they this those though through
throughout to today together tomorrow tonight too toward towards twice under until unless up upon very was we
well went were what whatever when whenever where whether which while who whom whose why will with within without
would yesterday yet you
"""
_AFTER_OBJECT = frozenset(_AFTER_OBJECT_TEXT.split())
_NEXT_WORD = re.compile(r"[ \t]*\n?[ \t]*([^\W_]+)")


@final
@dataclass(frozen=True, slots=True)
class Swaps:
    """Pairs made ready: the pattern that finds every word, its side and counterpart, and what its pair has in common."""

    pattern: re.Pattern[str]
    side: dict[str, int]
    """0 for the first of a pair, 1 for the second."""
    other: dict[str, str]
    shared: dict[str, str]
    """One word for all that can become each other."""

    def normal(self, text: str) -> str:
        """Return the text with every paired word as one that its whole group shares: the same before and after."""
        return self.pattern.sub(lambda found: self.shared[found[0].lower()], text)

    def first_side(self, text: str) -> int | None:
        """Return the side of the first paired word, None where there is none."""
        found = self.pattern.search(text)
        return None if found is None else self.side[found[0].lower()]

    def swapped(self, text: str) -> tuple[str, int]:
        """Return the text with every paired word replaced by its counterpart, case kept, and how many there were."""
        return self.pattern.subn(self._replacement, text)

    def _replacement(self, found: re.Match[str]) -> str:
        word = found[0].lower()
        if word in ("her", "his") and self.other.get(word) in ("him", "her", "his", "hers"):
            return _cased(_pronoun(word, found), found[0])
        return _cased(self.other[word], found[0])


def _pronoun(word: str, found: re.Match[str]) -> str:
    """Return the counterpart of ``her`` or ``his``, by whether a noun can follow."""
    following = _NEXT_WORD.match(found.string, found.end())
    alone = following is None or following[1].lower() in _AFTER_OBJECT
    if word == "her":
        return "him" if alone else "his"
    return "hers" if alone else "her"


def _cased(word: str, like: str) -> str:
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word[0].upper() + word[1:] if like[0].isupper() else word


def make_swaps(pairs: Iterable[tuple[str, str]]) -> Swaps:
    """Return the pairs made ready.

    Where a word has several counterparts, the first given is used; ``her`` and ``his`` go by what follows them.

    Raises:
        ConfigError: a word is not a single word of letters, or stands on both sides.
    """
    side: dict[str, int] = {}
    other: dict[str, str] = {}
    shared: dict[str, str] = {}
    for pair in pairs:
        left, right = (word.strip().lower() for word in pair)
        for word, place, counterpart in ((left, 0, right), (right, 1, left)):
            if not word.isalpha() or word.upper().lower() != word:
                raise ConfigError(f"pair {pair}: {word!r} is not one word of letters; give pairs of single words.")
            if side.setdefault(word, place) != place:
                raise ConfigError(f"pair {pair}: {word!r} is first of one pair and second of another; turn one round.")
            other.setdefault(word, counterpart)
        kept = min(shared.get(left, left), shared.get(right, right))
        merged = {shared.get(left, left), shared.get(right, right)}
        shared |= {word: kept for word, of in shared.items() if of in merged} | {left: kept, right: kept}
    forms = sorted(
        {form for word in side for form in (word, word.capitalize(), word.upper())}, key=lambda f: (-len(f), f)
    )
    return Swaps(re.compile(r"\b(?:" + "|".join(forms) + r")\b"), side, other, shared)
