"""Mentions of groups of people in a text, and how the words around them speak of them.

Sentiment is the balance of two short lists of plain words, turned by a negation just before. It sees neither irony
nor who does what to whom: ``women who were attacked`` counts as bad words near women. So it is fit for comparing
groups over many documents, and for nothing about one sentence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import final

_SPACES = bytes(code if code >= 128 or chr(code).isalnum() else 32 for code in range(256))
_WIDE = tuple((lead, tuple(one.encode() for one in signs)) for lead, signs in (
    (b"\xe2\x80", "\u2018\u2019\u201c\u201d\u2013\u2014\u2026"), (b"\xc2", "\u00ab\u00bb\u00a1\u00bf\u00a0"),
))  # fmt: skip
_LANGUAGES = ("en", "es", "fr", "ca")
_WINDOW = 8  # words on either side of a mention that are its context
_REACH = 2  # words that a negation turns


@final
@dataclass(frozen=True, slots=True)
class Terms:
    """The words of one language: groups by single word, phrases by their last word, and the words of sentiment."""

    groups: dict[bytes, str]
    phrases: dict[bytes, tuple[tuple[tuple[bytes, ...], str], ...]]
    feeling: dict[bytes, int]
    """+1 for a good word, -1 for a bad one."""
    negations: frozenset[bytes]

    @property
    def wanted(self) -> frozenset[bytes]:
        """Every word that is looked for."""
        return frozenset((*self.groups, *self.phrases))


def _lines(name: str) -> list[list[str]]:
    text = (files("pilotlight.corpus.lexicons") / name).read_text(encoding="utf-8")
    return [line.split("|") for line in text.splitlines() if not line.startswith("#")]


@cache
def group_names() -> tuple[str, ...]:
    """Return every group as ``axis/group``, in order."""
    return tuple(sorted({f"{axis}/{group}" for axis, group, _, _ in _lines("identity.txt")}))


@cache
def terms_of(language: str) -> Terms:
    """Return the words of one language; English for one that has no list."""
    language = language if language in _LANGUAGES else "en"
    groups: dict[bytes, str] = {}
    phrases: dict[bytes, list[tuple[tuple[bytes, ...], str]]] = {}
    for axis, group, code, terms in _lines("identity.txt"):
        for term in terms.split() if code == language else ():
            words = tuple(word.encode() for word in term.split("+"))
            if len(words) == 1:
                groups[words[0]] = f"{axis}/{group}"
            else:
                phrases.setdefault(words[-1], []).append((words, f"{axis}/{group}"))
    feeling: dict[bytes, int] = {}
    negations: list[bytes] = []
    for code, kind, words in _lines("sentiment.txt"):
        if code == language and kind == "not":
            negations = [word.encode() for word in words.split()]
        elif code == language:
            feeling |= dict.fromkeys((word.encode() for word in words.split()), 1 if kind == "good" else -1)
    return Terms(groups, {last: tuple(found) for last, found in phrases.items()}, feeling, frozenset(negations))


def has_list(language: str) -> bool:
    """Return whether there are words for a language; without them, those of English are used where it is unknown."""
    return language in _LANGUAGES


def words_of(text: str) -> list[bytes]:
    """Return the words of a text in lower case, as UTF-8; apostrophes and hyphens part words."""
    data = text.lower().encode("utf-8", "replace").translate(_SPACES)
    for lead, signs in _WIDE:
        if lead in data:
            for sign in signs:
                data = data.replace(sign, b" ")
    return data.split()


@final
@dataclass(slots=True)
class Mentions:
    """What was found in one text."""

    words: int = 0
    counts: dict[str, int] = field(default_factory=dict[str, int])
    """Mentions of each group, ``axis/group``."""
    tones: dict[str, float] = field(default_factory=dict[str, float])
    """Sum over the mentions of the tone of their context, each from -1 to 1."""
    tone: float = 0.0
    """Tone of the whole text, from -1 to 1."""


def tone_of(words: list[bytes], terms: Terms) -> float:
    """Return (good - bad) / (good + bad) over the words of feeling, 0 where there are none; negated ones turned."""
    good = bad = 0
    for place, word in enumerate(words):
        value = terms.feeling.get(word)
        if value is not None:
            if not terms.negations.isdisjoint(words[max(0, place - _REACH) : place]):
                value = -value
            good, bad = good + (value > 0), bad + (value < 0)
    return (good - bad) / (good + bad) if good + bad else 0.0


def _group_at(words: list[bytes], place: int, terms: Terms) -> str | None:
    for phrase, group in terms.phrases.get(words[place], ()):
        if place + 1 >= len(phrase) and tuple(words[place + 1 - len(phrase) : place + 1]) == phrase:
            return group
    return terms.groups.get(words[place])


def _context(words: list[bytes], place: int, terms: Terms) -> float:
    before = words[max(0, place - _WINDOW) : place]
    return tone_of([*before, *words[place + 1 : place + 1 + _WINDOW]], terms)


def find_mentions(text: str, language: str = "") -> Mentions:
    """Return the mentions of groups in a text, and the tone around them and of the whole.

    A text in a language that has no list is not searched; one in an unknown language as if it were English.
    """
    words = words_of(text)
    found = Mentions(words=len(words))
    if language not in ("", "und") and not has_list(language):
        return found
    terms = terms_of(language)
    wanted = _wanted(language)
    if not wanted.isdisjoint(words):
        for place in [place for place, word in enumerate(words) if word in wanted]:
            group = _group_at(words, place, terms)
            if group is not None:
                found.counts[group] = found.counts.get(group, 0) + 1
                found.tones[group] = found.tones.get(group, 0.0) + _context(words, place, terms)
    if not terms.feeling.keys().isdisjoint(words):
        found.tone = tone_of(words, terms)
    return found


@cache
def _wanted(language: str) -> frozenset[bytes]:
    return terms_of(language).wanted


def groups_named(text: str, groups: Mapping[str, object] | None = None) -> tuple[str, ...]:
    """Return the groups that an English text names, in order; only those in ``groups`` if given."""
    found = find_mentions(text, "en").counts
    return tuple(sorted(group for group in found if groups is None or group in groups))
