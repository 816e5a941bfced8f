"""Insults and vulgar words in a text, counted by whole words, in ten languages.

The words are our own list, kept in rot13. It has slurs in it but no names of groups: a text about gay people or
about Islam is not counted for its subject. Words that mean other things too (a tool, an animal, a surname) are counted
little unless what stands with them says how they are meant.
"""

from __future__ import annotations

import codecs
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import combinations
from typing import final

_WEIGHTS = {"0": 0.7, "t": 0.7, "1": 0.35, "2": 0.7, "3": 1.0}
_DOUBTFUL = 0.35  # of a word that may mean something else ...
_DOUBTFUL_ALONE = 0.5  # ... and of all of those together where nothing else insults: a score below 0.4
_NEAR = 12  # words on either side that tell how a word is meant
_MESSAGE = 80  # words up to which a text can be a message among people, which its marks then say
_MARKS = re.compile(r"(?<!\w)[@#]\w|(?<!\w)RT\b|://t\.co|&#[0-9]{4,6};|[\U0001f300-\U0001faff]|[!?]{2}")
# Words of people who speak to or about one another, rather than of a report.
_TALK = frozenset(
    b"i you your yours u ur yo my me im i'm i'll i've you're ya yall y'all ya'll we these them this that dat dis dem da "
    b"yeah yea yep nah bro bruh dude plz pls tho cuz coz cause bout wit gon lil bae boo af tf idk tbh imo hey hi haha "
    b"lol lmao lmfao smh omg wanna gonna gotta ain't aint dont don't can't cant".split()
)
_LISTED = ("en", "es", "fr", "ca", "de", "it", "pt", "nl", "pl", "sv", "ru")
_BY_DEFAULT = "en"  # whose words that mean something else elsewhere count where the language is not known
_KEPT = b"'*@$"
_SPACES = bytes(code if code >= 128 or code in _KEPT or chr(code).isalnum() else 32 for code in range(256))
_WIDE = tuple((lead, tuple(one.encode() for one in signs)) for lead, signs in (
    (b"\xe2\x80", "\u2018\u201c\u201d\u2013\u2014\u2026"), (b"\xc2", "\u00ab\u00bb\u00a1\u00bf\u00a0"),
))  # fmt: skip
_APOSTROPHE = "\u2019".encode()
_STRETCHED = re.compile(rb"([a-z])\1{2,}")
_TRIPLES = tuple(vowel * 3 for vowel in (b"a", b"e", b"i", b"o", b"u"))
_SIGNS = {"a": "@4", "s": "$5", "i": "1", "e": "3", "o": "0", "l": "1"}
_VOWELS = frozenset("aeiou")


@final
@dataclass(frozen=True, slots=True)
class Words:
    """What counts in texts of one language, as UTF-8."""

    weights: dict[bytes, float]
    """Weight of each word, also of those misspelt on purpose."""
    phrases: dict[bytes, dict[bytes, float]]
    """Weights of phrases by their longest word, the last of those; one space between words, before and after."""
    all: frozenset[bytes]
    """Words and longest words of phrases."""
    ambiguous: frozenset[bytes]
    """Words that mostly mean something else, and names where they begin with a capital."""
    spoken: frozenset[bytes]
    """Words that insult in talk alone."""
    beside: dict[bytes, frozenset[bytes]]
    """The words beside which a word means something else."""


def _lines() -> Iterator[tuple[str, str, list[str]]]:
    text = (files("pilotlight.corpus.lexicons") / "profanity.txt").read_text(encoding="utf-8")
    for line in text.splitlines():
        if not line.startswith("#"):
            code, level, words = line.split("|")
            yield code, level, codecs.decode(words, "rot13").split()


def _meant_well() -> dict[bytes, frozenset[bytes]]:
    text = (files("pilotlight.corpus.lexicons") / "doubts.txt").read_text(encoding="utf-8")
    found: dict[bytes, frozenset[bytes]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            words, beside = codecs.decode(line, "rot13").split("|")
            known = frozenset(beside.encode().split())
            found |= {form.encode(): known for entry in words.split() for form in _forms(entry)}
    return found


def _forms(entry: str) -> list[str]:
    stem, *endings = entry.split("/")
    return [stem, *(stem + ending for ending in endings)]


def _disguises(word: str) -> Iterator[str]:
    """Yield the word with all letters of one kind, or of two, replaced by signs that look like them; and with stars."""
    swaps = [(letter, sign) for letter, signs in _SIGNS.items() for sign in signs if letter in word]
    for letter, sign in swaps:
        yield word.replace(letter, sign)
    for (letter, sign), (other, its) in combinations(swaps, 2):
        if letter != other:
            yield word.replace(letter, sign).replace(other, its)
    for place in range(1, len(word) - 1):
        yield word[:place] + "*" + word[place + 1 :]
        if place > 1:
            yield word[0] + "*" * place + word[place + 1 :]
    inner = "".join("*" if letter in _VOWELS else letter for letter in word[1:])
    yield word[0] + inner


@cache
def words_for(language: str) -> Words:
    """Return what counts in a text of ``language``: its own list, and of the others what is a word there alone."""
    own = language if language in _LISTED else (_BY_DEFAULT if language in ("", "und") else "")
    words: dict[str, float] = {}
    phrases: dict[bytes, dict[bytes, float]] = {}
    disguised: dict[str, float] = {}
    kinds: dict[str, set[bytes]] = {"0": set(), "t": set()}
    for code, level, entries in _lines():
        for entry in entries:
            if entry.startswith("=") and code != own:
                continue
            for form in _forms(entry.removeprefix("=")):
                if "+" in form:
                    longest = max(reversed(form.split("+")), key=len)
                    phrases.setdefault(longest.encode(), {})[f" {form} ".replace("+", " ").encode()] = _WEIGHTS[level]
                    continue
                weight = _WEIGHTS[level]
                words[form] = max(weight, words.get(form, 0.0))
                if level in kinds:
                    kinds[level].add(form.encode())
                if code in ("en", own) and len(form) > 3 and weight > _WEIGHTS["1"]:
                    for disguise in _disguises(form):
                        disguised.setdefault(disguise, weight)
    weights = {word.encode(): weight for word, weight in (disguised | words).items()}
    beside = {word: known for word, known in _meant_well().items() if word in weights}
    return Words(
        weights, phrases, frozenset((*weights, *phrases)), frozenset(kinds["0"]), frozenset(kinds["t"]), beside
    )


@final
@dataclass(frozen=True, slots=True)
class Profanity:
    """What was found: the number of insulting words and phrases, their weights together, and the number of words."""

    found: int
    weight: float
    words: int

    @property
    def share(self) -> float:
        """Insulting words over all words, from 0 to 1."""
        return min(1.0, self.found / self.words) if self.words else 0.0

    @property
    def score(self) -> float:
        """From 0 to 1: one mild word 0.3, a vulgar one 0.5, a slur 0.63 among at most 100 words; less in longer texts."""
        return 1.0 - math.exp(-self.weight * min(1.0, 100 / self.words)) if self.words else 0.0


def _words(text: str) -> tuple[bytes, list[bytes]]:
    """Return the text in lower case with spaces for signs, and its words."""
    data = f" {text.lower()} ".encode("utf-8", "replace").translate(_SPACES)
    if _APOSTROPHE in data:
        data = data.replace(_APOSTROPHE, b"'")
    for lead, signs in _WIDE:
        if lead in data:
            for sign in signs:
                data = data.replace(sign, b" ")
    return data, data.split()


def _drawn_out(words: list[bytes], known: dict[bytes, float]) -> list[float]:
    """Return the weights of words with letters drawn out."""
    return [
        known[short] for word in words
        if _STRETCHED.search(word) and (short := _STRETCHED.sub(rb"\1", word)) in known and word not in known
    ]  # fmt: skip


def _weighed(text: str, words: list[bytes], hits: list[bytes], lexicon: Words) -> tuple[list[float], int]:
    """Return the weights of the words that insult, and how many may mean something else."""
    known = lexicon.weights
    weighed = [word for word in hits if word in known]
    if not any(word in lexicon.ambiguous or word in lexicon.spoken or word in lexicon.beside for word in weighed):
        return [known[word] for word in weighed], 0
    doubtful, names = _in_doubt(text, words, lexicon)
    left = Counter(weighed)
    left.subtract(doubtful)
    return [known[word] for word, count in sorted(left.items()) for _ in range(count)], max(0, len(doubtful) - names)


def _in_doubt(text: str, words: list[bytes], lexicon: Words) -> tuple[list[bytes], int]:
    """Return the words that need not insult here, and how many of the ambiguous ones are names instead."""
    doubtful = lexicon.ambiguous | lexicon.spoken | lexicon.beside.keys()
    found: list[bytes] = []
    message = len(words) <= _MESSAGE and _MARKS.search(text) is not None
    for place, word in enumerate(words):
        if word not in doubtful:
            continue
        near = words[max(0, place - _NEAR) : place + _NEAR + 1]
        unspoken = word in lexicon.spoken and not message and _TALK.isdisjoint(near)
        if word in lexicon.ambiguous or unspoken or not lexicon.beside.get(word, frozenset()).isdisjoint(near):
            found.append(word)
    ambiguous = [word.decode() for word in sorted(lexicon.ambiguous & set(found))]
    if not ambiguous:
        return found, 0
    capital = "|".join(re.escape(word.capitalize()) for word in ambiguous)
    return found, len(re.findall(rf"(?<![^\W_])(?:{capital})(?![^\W_]|['\u2019])", text))


def find_profanity(text: str, language: str = "") -> Profanity:
    """Return the insults and vulgar words of a text; ``language`` is its ISO 639-1 code, empty where not known."""
    lexicon = words_for(language if language in _LISTED else ("" if language in ("", "und") else "other"))
    data, words = _words(text)
    known = lexicon.weights
    weights: list[float] = []
    doubtful = 0
    if hits := list(filter(lexicon.all.__contains__, words)):
        weights, doubtful = _weighed(text, words, hits, lexicon)
        for longest in sorted(lexicon.phrases.keys() & set(hits)):
            for phrase, weight in lexicon.phrases[longest].items():
                weights += [weight] * data.count(phrase)
    if any(triple in data for triple in _TRIPLES):
        weights += _drawn_out(words, known)
    sure = math.fsum(weights)
    if doubtful:
        unsure = doubtful * (_WEIGHTS["2"] if sure >= _WEIGHTS["2"] else _DOUBTFUL)
        return Profanity(len(weights) + doubtful, sure + unsure if sure else min(unsure, _DOUBTFUL_ALONE), len(words))
    return Profanity(len(weights), sure, len(words))
